// Package google is Google Cloud in small: a stateful server over real HTTP that the real clients of Resource Manager,
// Service Usage, Cloud Billing, BigQuery and BigQuery Storage Read talk to, with the token endpoints they ask first and
// the one console page without which no billing export exists. It checks signatures and permissions, can be told to
// fail, keeps a log of requests, and delivers bills on a fast clock into tables that DuckDB holds. It serves the demo
// and the tests, never production. What it answers follows clouds.md §4; where the real service is unknown, the doc
// comment says so.
package google

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"outlay"
	"outlay/simcloud"
)

// Options set up a Cloud. The zero value of every field but Dir is usable.
type Options struct {
	// Dir holds state.json and data.duckdb. It is created when absent; a Cloud made over the Dir of an earlier one,
	// which must be closed, goes on where that one stopped.
	Dir string
	// Now is the cloud's own clock: creation times, delivery times. Default: the machine's.
	Now func() time.Time
	// DeliverEvery makes Start deliver to every export in this rhythm. Zero: only Deliver delivers.
	DeliverEvery time.Duration
	// HistoryMonths is how many closed months a multi-region export is filled with. Google fills one (clouds.md §4.3),
	// which is the default; negative: none. A single region never gets any.
	HistoryMonths int
	// FillTicks is how many deliveries the fill of past months takes, oldest day first. Default 3.
	FillTicks int
	// RowsPerMonth is the approximate number of charges in a whole month of a billing account. Default 600.
	RowsPerMonth int
	// RestateEvery makes every n-th delivery bring late rows, corrections and an adjustment into the last closed month.
	// Default 5; negative: never.
	RestateEvery int
	// DataLag is how far the data trail the delivery. Default 24 h.
	DataLag time.Duration
	// EnableLag is how many calls to a service still answer SERVICE_DISABLED after it was enabled.
	EnableLag int
	// SlowEnable is how many times the operation of an enablement is looked at before it is done.
	SlowEnable int
	// PageRows bounds the rows of one page of results; Google bounds bytes. Default 5000.
	PageRows int
	// JobLag is how many looks at a query job find it still running.
	JobLag int
	// Streamed makes the rows of a delivery lie in the table's streaming buffer until the next delivery: queries see them,
	// but they are in no partition yet and numRows does not count them (clouds.md §4.5). Moving on, they change neither
	// the table's time nor its etag.
	Streamed bool
	// Seed varies the generated bills and names.
	Seed int64
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = outlay.SystemClock{}.Now
	}
	o.HistoryMonths = simcloud.OrDefault(o.HistoryMonths, 1)
	o.FillTicks = max(1, simcloud.OrDefault(o.FillTicks, 3))
	o.RowsPerMonth = simcloud.OrDefault(o.RowsPerMonth, 600)
	o.RestateEvery = simcloud.OrDefault(o.RestateEvery, 5)
	o.PageRows = simcloud.OrDefault(o.PageRows, 5000)
	if o.DataLag == 0 {
		o.DataLag = 24 * time.Hour
	}
	return o
}

// Cloud is one simulated Google Cloud. Its methods may be called from several goroutines.
type Cloud struct {
	*simcloud.Frame[Request]
	opt    Options
	routes []route

	mu    sync.Mutex // guards everything below, and the data
	state *state
	db    *sql.DB // opened when first needed
	jobs  map[string]*job
	order []string // job keys, oldest first
	reads map[string]*readSession
}

// New makes a cloud, or reopens the one kept in Options.Dir.
func New(o Options) (*Cloud, error) {
	if o.Dir == "" {
		return nil, outlay.Errorf(outlay.CodeInvalid, "Name a folder.", "the simulated cloud has no folder for its data")
	}
	o = o.withDefaults()
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of the simulated cloud: %w", err)
	}
	s, err := loadState(o.Dir)
	if err != nil {
		return nil, err
	}
	return &Cloud{Frame: simcloud.NewFrame[Request](), opt: o, state: s, routes: routes(), jobs: map[string]*job{}, reads: map[string]*readSession{}}, nil
}

// Start serves the cloud on addr ("127.0.0.1:0" picks a port) until stop is called, and delivers every DeliverEvery.
// stop closes the cloud.
func (c *Cloud) Start(addr string) (url string, stop func(), err error) {
	host, end, err := c.Serve(addr, c, nil, simcloud.Beat{
		Every:   c.opt.DeliverEvery,
		Deliver: func(ctx context.Context) error { return c.Deliver(ctx, c.opt.Now()) },
		Failed: func(err error) {
			c.Note(Request{At: c.opt.Now(), Service: "deliver", Operation: "deliver", Error: err.Error()})
		},
	})
	if err != nil {
		return "", nil, err
	}
	return "http://" + host, func() { end(); c.Close() }, nil
}

// Close ends requests that hang and closes the data. A Cloud that is used again opens them again.
func (c *Cloud) Close() {
	c.Frame.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.db != nil {
		_ = c.db.Close() // nothing is pending: every change was committed
		c.db = nil
	}
	c.jobs, c.order = map[string]*job{}, nil // their results went with the connection
}

// ServeHTTP answers one API call, or the console page.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, whole := simcloud.Body(r)
	if !whole {
		return // the client went away
	}
	k := c.newCall(r, body)
	fault := c.Pick(k.target())
	ans := fault.Meet(
		func() answer { return c.answer(k) },
		func(kind FaultKind) answer { return k.failed(k.fault(fault, kind)) },
	)
	c.Note(k.request(c.opt.Now(), ans, fault))
	c.Send(w, r, ans, fault)
}

// answer identifies the caller, and runs the operation under the lock.
func (c *Cloud) answer(k *call) answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k.route == nil {
		return k.failed(refuse(http.StatusNotFound, "notFound", "The simulated cloud does not know %s %s", k.R.Method, k.R.URL.Path))
	}
	if !k.route.open {
		if fail := c.authenticate(k); fail != nil {
			return k.failed(fail)
		}
		if fail := c.serviceOn(k); fail != nil {
			return k.failed(fail)
		}
	}
	ans, fail := k.route.run(c, k)
	if fail != nil {
		ans = k.failed(fail)
	}
	if k.route.changes {
		if err := simcloud.Save(c.opt.Dir, c.state); err != nil {
			return k.failed(refuse(http.StatusInternalServerError, "internalError", "%s", err))
		}
	}
	return ans
}
