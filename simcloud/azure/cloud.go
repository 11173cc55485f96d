// Package azure is Microsoft's cloud in small: a stateful server over real TLS that the real SDK clients of Entra, Resource
// Manager, Storage and Cost Management talk to. It checks tokens and roles, can be told to fail, keeps a log of
// requests, and runs cost exports on a fast clock. It serves the demo and the tests, never production. What it answers
// follows clouds.md §3; where the real service is unknown, the doc comment says so.
package azure

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"outlay"
)

// Options set up a Cloud. The zero value of every field but Dir is usable.
type Options struct {
	// Dir holds state.json, the server's certificate and the bytes of blobs. It is created when absent; a Cloud made over
	// the Dir of an earlier one goes on where that one stopped.
	Dir string
	// Now is the cloud's own clock: creation times, runs. Default: the machine's.
	Now func() time.Time
	// DeliverEvery makes Start run every active export in this rhythm, which stands for Azure's day, and take up runs that
	// somebody asked for at once. Zero: only Deliver runs exports.
	DeliverEvery time.Duration
	// HistoryMonths is how many closed months the costs reach back; a run of a month before has DataNotAvailable.
	// Default 13.
	HistoryMonths int
	// RowsPerMonth is the approximate number of charges in a whole month of an export. Default 600.
	RowsPerMonth int
	// RestateEvery makes every n-th scheduled run of an export write the last closed month too, whatever the day: on a
	// fast clock the first five days of a month would hardly ever be met. Default 5; negative: only on days 1 to 5.
	RestateEvery int
	// DataLag is how far the data trail the run. Default 24 h.
	DataLag time.Duration
	// Polls is how many reads see a long-running operation, or a registration, still under way. Default 1; negative: none.
	Polls int
	// RetryAfter is how long answers of an operation under way ask the client to wait. Default 20 ms (Azure: 5 to 17 s).
	RetryAfter time.Duration
	// RegisterLag is how many exports are refused with "RP Not Registered" after the registration is through.
	RegisterLag int
	// GrantLag is how many decisions do not see a new role assignment yet.
	GrantLag int
	// RunAccepted makes a run answer 202, and DeleteNoContent a delete of an export 204: both have been seen, neither is in
	// the specification (clouds.md §3.1).
	RunAccepted, DeleteNoContent bool
	// RunsPerMinute is how many runs of an export may be asked for before it is throttled. Default 10; negative: any number.
	RunsPerMinute int
	// ProgressWord is the status of a run under way. Default "InProgress"; "DataReady" has been seen too.
	ProgressWord string
	// ContainerLag is how long the name of a deleted container stays blocked. Default 0 (Azure: 30 s and more).
	ContainerLag time.Duration
	// BlobsPerPage bounds a page of a list of blobs. Default 5,000, as the real one.
	BlobsPerPage int
	// FolderStamp puts a yyyyMMddHHmm folder between the period and the run: the order is documented in two ways.
	FolderStamp bool
	// EmptyManifest makes a run without data write a manifest that lists no blobs.
	EmptyManifest bool
	// Judge stands between clients and what Start serves, as outlaytest.AzureJudge in tests. Default: nobody.
	Judge func(http.Handler) http.Handler
	// Seed varies the generated bills.
	Seed int64
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = outlay.SystemClock{}.Now
	}
	o.HistoryMonths = positive(o.HistoryMonths, 13)
	o.RowsPerMonth = positive(o.RowsPerMonth, 600)
	o.RestateEvery = positive(o.RestateEvery, 5)
	o.Polls = max(0, positive(o.Polls, 1))
	o.RunsPerMinute = positive(o.RunsPerMinute, 10)
	o.BlobsPerPage = positive(o.BlobsPerPage, 5000)
	if o.DataLag == 0 {
		o.DataLag = 24 * time.Hour
	}
	if o.RetryAfter == 0 {
		o.RetryAfter = 20 * time.Millisecond
	}
	if o.ProgressWord == "" {
		o.ProgressWord = "InProgress"
	}
	return o
}

// positive is n, or its default for 0; a negative n stays and means never.
func positive(n, def int) int {
	if n == 0 {
		return def
	}
	return n
}

// Cloud is one simulated Azure. Its methods may be called from several goroutines.
type Cloud struct {
	opt    Options
	routes []route

	mu    sync.Mutex // guards everything below, and the files of blobs
	state *state
	fault faults
	log   []Request

	deliver sync.Mutex    // one delivery at a time
	asked   chan struct{} // somebody asked for a run
	stop    chan struct{} // closed when the cloud goes down: hanging requests end
	once    sync.Once
}

// New makes a cloud, or reopens the one kept in Options.Dir.
func New(o Options) (*Cloud, error) {
	if o.Dir == "" {
		return nil, outlay.Errorf(outlay.CodeInvalid, "Name a folder.", "the simulated cloud has no folder for its blobs")
	}
	o = o.withDefaults()
	if err := os.MkdirAll(filepath.Join(o.Dir, "blobs"), 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of the simulated cloud: %w", err)
	}
	s, err := loadState(o.Dir)
	if err != nil {
		return nil, err
	}
	return &Cloud{opt: o, routes: routes(), state: s, asked: make(chan struct{}, 1), stop: make(chan struct{})}, nil
}

// Start serves the cloud over TLS on addr ("127.0.0.1:0" picks a port) until stop is called, and runs exports every
// DeliverEvery. ca is the PEM of the certificate that a client must trust; it stays the same over restarts.
func (c *Cloud) Start(addr string) (url string, ca []byte, stop func(), err error) {
	cert, ca, err := certificate(c.opt.Dir)
	if err != nil {
		return "", nil, nil, fmt.Errorf("starting the simulated cloud: %w", err)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", nil, nil, fmt.Errorf("starting the simulated cloud: %w", err)
	}
	var handler http.Handler = c
	if c.opt.Judge != nil {
		handler = c.opt.Judge(c)
	}
	ctx, cancel := context.WithCancel(context.Background())
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 30 * time.Second, TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12},
		ErrorLog: quiet(), // a client that is killed in a handshake is no news
	}
	var done sync.WaitGroup
	done.Go(func() { _ = server.ServeTLS(l, "", "") }) // returns ErrServerClosed when stopped
	if c.opt.DeliverEvery > 0 {
		done.Go(func() { c.deliverLoop(ctx) })
	}
	return "https://" + l.Addr().String(), ca, func() {
		cancel()
		c.Close()
		_ = server.Close()
		done.Wait()
	}, nil
}

// Close ends requests that hang. The cloud keeps answering others.
func (c *Cloud) Close() { c.once.Do(func() { close(c.stop) }) }

func (c *Cloud) deliverLoop(ctx context.Context) {
	tick := time.NewTicker(c.opt.DeliverEvery)
	defer tick.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			err = c.Deliver(ctx, c.opt.Now())
		case <-c.asked:
			err = c.Run(ctx, c.opt.Now())
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			c.note(Request{At: c.opt.Now(), Service: "deliver", Operation: "Deliver", Error: err.Error()})
		}
	}
}

// maxBody bounds a request: data files are written by Deliver, not uploaded.
const maxBody = 64 << 20

// ServeHTTP answers one API call.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return // the client went away
	}
	k := c.newCall(r, body)
	k.ID = c.requestID()
	fault := c.pick(k)
	ans := c.answerWith(k, fault)
	c.note(k.request(c.opt.Now(), ans, fault))
	c.write(w, r, k, ans, fault)
}

// answerWith runs the call, or does not, as the fault says.
func (c *Cloud) answerWith(k *call, f *Fault) answer {
	if f != nil && !f.Kind.after() {
		return f.answer(k)
	}
	ans := c.answer(k)
	if f != nil {
		return f.instead(k, ans)
	}
	return ans
}

// answer identifies the caller, and runs the operation under the lock.
func (c *Cloud) answer(k *call) answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k.route == nil {
		return k.failed(k.unknown())
	}
	if base := "https://" + k.R.Host; c.state.Base != base {
		c.state.Base = base
	}
	var fail *refusal
	if k.Service != "entra" {
		fail = c.authenticate(k)
	}
	if fail != nil {
		return k.failed(fail)
	}
	ans, fail := k.route.run(c, k)
	if fail != nil {
		ans = k.failed(fail)
	}
	if k.route.changes {
		if err := c.state.save(c.opt.Dir); err != nil {
			return k.failed(refuse(http.StatusInternalServerError, "InternalServerError", "%s", err))
		}
	}
	return ans
}
