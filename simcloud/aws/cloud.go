// Package aws is Amazon's cloud in small: a stateful server over real HTTP that the real SDK clients of STS, S3, IAM,
// Organizations, Data Exports and Cost Explorer talk to. It checks signatures and permissions, can be told to fail,
// keeps a log of requests, and delivers FOCUS bills on a fast clock. It serves the demo and the tests, never
// production. What it answers follows clouds.md §2; where the real service is unknown, the doc comment says so.
package aws

import (
	"context"
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
	// Dir holds state.json and the bytes of objects. It is created when absent; a Cloud made over the Dir of an
	// earlier one goes on where that one stopped.
	Dir string
	// Now is the cloud's own clock: creation times, delivery times. Default: the machine's.
	Now func() time.Time
	// Partition is the first part of every ARN after 'arn'. Default "aws".
	Partition string
	// DeliverEvery makes Start deliver to every export in this rhythm, the first time one beat after it was created.
	// Zero: only Deliver delivers.
	DeliverEvery time.Duration
	// HistoryMonths is how many closed months the first delivery of an export brings along (an AWS Support backfill;
	// without it a new export starts in the current month, clouds.md §2.3).
	HistoryMonths int
	// RowsPerMonth is the approximate number of charges in a whole month of an export. Default 600.
	RowsPerMonth int
	// RestateEvery makes every n-th delivery of an export restate the last closed month too. Default 5; negative: never.
	RestateEvery int
	// SpellingEvery makes the partition key change between BILLING_PERIOD= and billing_period= after each n
	// deliveries of an export. Default 4; negative: never.
	SpellingEvery int
	// DataLag is how far the data trail the delivery. Default 24 h.
	DataLag time.Duration
	// TagPrefix is what stands before a person's tag keys in the data: "user_", "user:" or, with "-", nothing.
	// Default "user_" (clouds.md §2.6).
	TagPrefix string
	// SeenAfter makes the nine keys known to Cost Explorer that long after their payer was added. Zero: SeeTags only.
	SeenAfter time.Duration
	// ActivateAfter is how long after its activation a key appears in the data.
	ActivateAfter time.Duration
	// TagsReachBack makes an activation count from the beginning of the data, as if a backfill had come with it: the
	// demo has no year to wait.
	TagsReachBack bool
	// BackfillTakes is how long a cost allocation tag backfill stays PROCESSING.
	BackfillTakes time.Duration
	// ExportQuota is the number of exports of one table that an account may have. Default 2 (clouds.md §2.3). Raise it
	// where a test must see doubled exports rather than a refused second one.
	ExportQuota int
	// PolicyLag is how many CreateExport calls still see the policy that a bucket had before its last change.
	PolicyLag int
	// ListLag is how many reads do not see a new bucket or export yet.
	ListLag int
	// NoAccountRegional makes CreateBucket refuse the account-regional namespace, as a partition that lacks it.
	NoAccountRegional bool
	// LateDelivery makes an export that is deleted write one more data file at the next delivery: one was in flight.
	LateDelivery bool
	// Seed varies the generated bills and names.
	Seed int64
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = outlay.SystemClock{}.Now
	}
	if o.Partition == "" {
		o.Partition = "aws"
	}
	if o.TagPrefix == "" {
		o.TagPrefix = "user_"
	}
	if o.TagPrefix == "-" {
		o.TagPrefix = ""
	}
	o.RowsPerMonth = simcloud.OrDefault(o.RowsPerMonth, 600)
	o.RestateEvery = simcloud.OrDefault(o.RestateEvery, 5)
	o.SpellingEvery = simcloud.OrDefault(o.SpellingEvery, 4)
	o.ExportQuota = simcloud.OrDefault(o.ExportQuota, 2)
	if o.DataLag == 0 {
		o.DataLag = 24 * time.Hour
	}
	return o
}

// Cloud is one simulated AWS. Its methods may be called from several goroutines.
type Cloud struct {
	*simcloud.Frame[Request]
	opt Options

	mu    sync.Mutex // guards the state, and the files of objects
	state *state

	deliver sync.Mutex // one delivery at a time
}

// New makes a cloud, or reopens the one kept in Options.Dir.
func New(o Options) (*Cloud, error) {
	if o.Dir == "" {
		return nil, outlay.Errorf(outlay.CodeInvalid, "Name a folder.", "the simulated cloud has no folder for its objects")
	}
	o = o.withDefaults()
	if err := os.MkdirAll(filepath.Join(o.Dir, "objects"), 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of the simulated cloud: %w", err)
	}
	s, err := loadState(o.Dir)
	if err != nil {
		return nil, err
	}
	return &Cloud{Frame: simcloud.NewFrame[Request](), opt: o, state: s}, nil
}

// Start serves the cloud on addr ("127.0.0.1:0" picks a port) until stop is called, and delivers every DeliverEvery.
func (c *Cloud) Start(addr string) (url string, stop func(), err error) {
	host, stop, err := c.Serve(addr, c, nil, simcloud.Beat{
		Every:   c.opt.DeliverEvery,
		Deliver: func(ctx context.Context) error { return c.Deliver(ctx, c.opt.Now()) },
		Failed: func(err error) {
			c.Note(Request{At: c.opt.Now(), Service: "deliver", Operation: "Deliver", Error: err.Error()})
		},
	})
	return "http://" + host, stop, err
}

// ServeHTTP answers one API call.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, whole := simcloud.Body(r)
	if !whole {
		return // the client went away
	}
	k := newCall(r, body)
	k.ID = c.requestID()
	fault := c.Pick(k.target())
	ans := fault.Meet(
		func() answer {
			ans := c.answer(k)
			if fault != nil && fault.Kind == KeyErrors {
				ans.Body = keyErrors(ans.Body)
			}
			return ans
		},
		func(kind FaultKind) answer { return k.failed(k.fault(fault, kind)) },
	)
	c.Note(k.request(c.opt.Now(), ans, fault))
	if ans.Header != nil {
		ans.Header.Set("X-Amz-Request-Id", k.ID)
		ans.Header.Set("X-Amzn-Requestid", k.ID)
	}
	c.Send(w, r, ans, fault)
}

// answer identifies the caller, and runs the operation under the lock.
func (c *Cloud) answer(k *call) answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	op, fail := k.lookup()
	if fail == nil {
		fail = c.authenticate(k)
	}
	if fail != nil {
		return k.failed(fail)
	}
	ans, fail := op.run(c, k)
	if fail != nil {
		ans = k.failed(fail)
	}
	if op.changes {
		if err := simcloud.Save(c.opt.Dir, c.state); err != nil {
			return k.failed(refuse(http.StatusInternalServerError, "InternalError", "%s", err))
		}
	}
	return ans
}
