// Package azure is Microsoft's cloud in small: a stateful server over real TLS that the real SDK clients of Entra, Resource
// Manager, Storage and Cost Management talk to. It checks tokens and roles, can be told to fail, keeps a log of
// requests, and runs cost exports on a fast clock. It serves the demo and the tests, never production. What it answers
// follows clouds.md §3; where the real service is unknown, the doc comment says so.
package azure

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"outlay"
	"outlay/simcloud"
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
	// ReadLag is how many reads do not see a new resource group, storage account or export yet: Resource Manager answers
	// from caches of its regions (clouds.md §9, 'gone or just created'). Writes see it.
	ReadLag int
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
	o.HistoryMonths = simcloud.OrDefault(o.HistoryMonths, 13)
	o.RowsPerMonth = simcloud.OrDefault(o.RowsPerMonth, 600)
	o.RestateEvery = simcloud.OrDefault(o.RestateEvery, 5)
	o.Polls = max(0, simcloud.OrDefault(o.Polls, 1))
	o.RunsPerMinute = simcloud.OrDefault(o.RunsPerMinute, 10)
	o.BlobsPerPage = simcloud.OrDefault(o.BlobsPerPage, 5000)
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

// Cloud is one simulated Azure. Its methods may be called from several goroutines.
type Cloud struct {
	*simcloud.Frame[Request]
	opt    Options
	routes []route

	mu    sync.Mutex // guards the state, and the files of blobs
	state *state

	deliver sync.Mutex    // one delivery at a time
	asked   chan struct{} // somebody asked for a run
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
	frame := simcloud.NewFrame[Request]()
	frame.HintRandom(-1) // a client would wait for seconds otherwise
	return &Cloud{Frame: frame, opt: o, routes: routes(), state: s, asked: make(chan struct{}, 1)}, nil
}

// Start serves the cloud over TLS on addr ("127.0.0.1:0" picks a port) until stop is called, and runs exports every
// DeliverEvery. ca is the PEM of the certificate that a client must trust; it stays the same over restarts.
func (c *Cloud) Start(addr string) (url string, ca []byte, stop func(), err error) {
	cert, ca, err := certificate(c.opt.Dir)
	if err != nil {
		return "", nil, nil, fmt.Errorf("starting the simulated cloud: %w", err)
	}
	var handler http.Handler = c
	if c.opt.Judge != nil {
		handler = c.opt.Judge(c)
	}
	host, stop, err := c.Serve(addr, handler, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}, simcloud.Beat{
		Every:   c.opt.DeliverEvery,
		Deliver: func(ctx context.Context) error { return c.Deliver(ctx, c.opt.Now()) },
		Asked:   c.asked,
		Run:     func(ctx context.Context) error { return c.Run(ctx, c.opt.Now()) },
		Failed: func(err error) {
			c.Note(Request{At: c.opt.Now(), Service: "deliver", Operation: "Deliver", Error: err.Error()})
		},
	})
	return "https://" + host, ca, stop, err
}

// ServeHTTP answers one API call.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, whole := simcloud.Body(r)
	if !whole {
		return // the client went away
	}
	k := c.newCall(r, body)
	k.ID = c.requestID()
	fault := c.Pick(k.target())
	ans := fault.Meet(
		func() answer { return c.answer(k) },
		func(kind FaultKind) answer { return k.failed(k.fault(fault, kind)) },
	)
	c.Note(k.request(c.opt.Now(), ans, fault))
	if ans.Header != nil {
		ans.Header.Set("X-Ms-Request-Id", k.ID)
	}
	c.Send(w, r, ans, fault)
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
		if err := simcloud.Save(c.opt.Dir, c.state); err != nil {
			return k.failed(refuse(http.StatusInternalServerError, "InternalServerError", "%s", err))
		}
	}
	return ans
}
