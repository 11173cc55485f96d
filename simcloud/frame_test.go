package simcloud_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"outlay/simcloud"
)

// line is a line of the log of the cloud of these tests.
type line struct {
	operation string
	fault     simcloud.FaultKind
	status    int
}

// smallCloud knows one operation, which counts.
type smallCloud struct {
	*simcloud.Frame[line]
	body string
	done atomic.Int32
}

func (c *smallCloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, whole := simcloud.Body(r)
	if !whole {
		return
	}
	f := c.Pick(simcloud.Target{Names: []string{"Count", "small:Count"}, Path: r.URL.Path, Fold: true, Spare: r.URL.Path == "/token"})
	a := f.Meet(func() simcloud.Response {
		c.done.Add(1)
		status := http.StatusOK
		if c.body == "" && r.Method != http.MethodHead {
			status = http.StatusNoContent
		}
		return simcloud.Response{Status: status, Header: http.Header{"X-Amz-Checksum-Sha256": {"s"}, "Content-Md5": {"m"}}, Body: []byte(c.body + string(body))}
	}, func(kind simcloud.FaultKind) simcloud.Response {
		status := map[simcloud.FaultKind]int{simcloud.Throttle: 429, simcloud.UnavailableFirst: 503}[kind]
		return simcloud.Response{Status: max(status, 400), Header: http.Header{}, Body: []byte(kind), Code: string(kind)}
	})
	l := line{operation: "Count"}
	l.fault, l.status = f.Seen(a.Status)
	c.Note(l)
	if r.Method == http.MethodHead && a.Header != nil {
		a.Header.Set("Content-Length", "1000")
	}
	c.Send(w, r, a, f)
}

func serve(t *testing.T) (*smallCloud, string) {
	t.Helper()
	c := &smallCloud{Frame: simcloud.NewFrame[line](), body: strings.Repeat("0123456789", 10)}
	host, stop, err := c.Serve("127.0.0.1:0", c, nil, simcloud.Beat{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return c, "http://" + host
}

func ask(t *testing.T, client *http.Client, method, url string) (*http.Response, string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return resp, string(b), err
}

// Every kind has the effect that its name says, or none; the log tells what the client got.
func TestEveryKind(t *testing.T) {
	all := simcloud.FaultKinds(simcloud.FlipByte, simcloud.SkewedClock, simcloud.KeyErrors, simcloud.QuotaExceeded, simcloud.ServiceDisabled, simcloud.Answer)
	for _, kind := range all {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			c, url := serve(t)
			c.Fault(simcloud.Fault{Match: "small:Count", Kind: kind})
			resp, body, err := ask(t, &http.Client{Transport: &http.Transport{}}, http.MethodGet, url+"/x")
			if err == nil && resp.StatusCode == http.StatusOK && body == c.body && kind != simcloud.KeyErrors {
				t.Error("the client saw nothing of it")
			}
			after := strings.HasSuffix(string(kind), "-after") ||
				slices.Contains([]simcloud.FaultKind{simcloud.Truncate, simcloud.TruncateSilently, simcloud.Trickle, simcloud.Garble, simcloud.FlipByte, simcloud.KeyErrors}, kind)
			if (c.done.Load() == 1) != after {
				t.Errorf("it ran %d times", c.done.Load())
			}
			answered := !strings.HasPrefix(string(kind), "reset") && !strings.HasPrefix(string(kind), "hang")
			if log := c.Requests(); len(log) != 1 || log[0].fault != kind || (log[0].status != 0) != answered {
				t.Errorf("logged is %+v", log)
			}
		})
	}
}

func TestCutBodies(t *testing.T) {
	c, url := serve(t)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	c.Fault(simcloud.Fault{Kind: simcloud.Truncate})
	if _, body, err := ask(t, client, http.MethodGet, url); !errors.Is(err, io.ErrUnexpectedEOF) || len(body) != 50 {
		t.Errorf("cut under its length: %d bytes, %v", len(body), err)
	}
	c.Fault(simcloud.Fault{Kind: simcloud.TruncateSilently})
	resp, body, err := ask(t, client, http.MethodGet, url)
	if err != nil || len(body) != 50 || resp.ContentLength != -1 || resp.Header.Get("X-Amz-Checksum-Sha256")+resp.Header.Get("Content-Md5") != "" {
		t.Errorf("cut silently: %d bytes of %d, %v, %v", len(body), resp.ContentLength, resp.Header, err)
	}
	// What has no body cannot be cut; its length stays that of the resource.
	c.Fault(simcloud.Fault{Kind: simcloud.Truncate})
	if resp, _, err := ask(t, client, http.MethodHead, url); err != nil || resp.ContentLength != 1000 {
		t.Errorf("HEAD: %v, %v", resp, err)
	}
	c.body = ""
	c.Fault(simcloud.Fault{Kind: simcloud.TruncateSilently})
	if resp, _, err := ask(t, client, http.MethodGet, url); err != nil || resp.StatusCode != http.StatusNoContent {
		t.Errorf("204: %v, %v", resp, err)
	}
}

// A connection that is reset says no goodbye, over TLS as well: the client cannot take it for an end.
func TestResetOverTLS(t *testing.T) {
	made := httptest.NewTLSServer(http.NotFoundHandler())
	made.Close()
	c := &smallCloud{Frame: simcloud.NewFrame[line](), body: "x"}
	host, stop, err := c.Serve("127.0.0.1:0", c, &tls.Config{Certificates: made.TLS.Certificates, MinVersion: tls.VersionTLS12}, simcloud.Beat{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	pool := made.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	if !pool.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made.Certificate().Raw})) {
		t.Fatal("no certificate")
	}
	client := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "example.com", MinVersion: tls.VersionTLS12}}}
	if resp, body, err := ask(t, client, http.MethodGet, "https://"+host); err != nil || body != "x" || resp.ProtoMajor != 1 {
		t.Fatalf("without a fault: %v, %q, %v", resp, body, err)
	}
	for _, kind := range []simcloud.FaultKind{simcloud.ResetBefore, simcloud.ResetAfter} {
		c.Fault(simcloud.Fault{Kind: kind, Times: 2}) // a connection that was idle is tried once more
		if _, _, err := ask(t, client, http.MethodGet, "https://"+host); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: %v", kind, err)
		}
		c.ClearFaults()
	}
}

// What is matched, skipped and counted, and how long to wait.
func TestScript(t *testing.T) {
	c, url := serve(t)
	client := &http.Client{Transport: &http.Transport{}}
	c.Fault(simcloud.Fault{Match: "Other", Kind: simcloud.FailBefore, Times: -1})
	c.Fault(simcloud.Fault{Match: "Count", Path: "/SIDE", Kind: simcloud.Throttle, Skip: 1, Times: 2, RetryAfter: 7})
	for i, want := range []int{200, 429, 429, 200} {
		resp, _, err := ask(t, client, http.MethodGet, url+"/side")
		if err != nil || resp.StatusCode != want || (resp.Header.Get("Retry-After") == "7") != (want == 429) || (resp.Header.Get("X-Simulated-Fault") != "") != (want == 429) {
			t.Errorf("call %d: %v, %v", i, resp, err)
		}
	}
	c.ClearFaults()
	c.HintRandom(-1)
	c.RandomFaults(1, 1, simcloud.Throttle)
	if resp, _, err := ask(t, client, http.MethodGet, url+"/token"); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("a call that random faults spare: %v, %v", resp, err)
	}
	if resp, _, err := ask(t, client, http.MethodGet, url); err != nil || resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") != "0" {
		t.Errorf("a random fault: %v, %v", resp, err)
	}
	c.ClearFaults()
	c.ClearRequests()
	if resp, _, err := ask(t, client, http.MethodGet, url); err != nil || resp.StatusCode != http.StatusOK || len(c.Requests()) != 1 {
		t.Errorf("after all faults: %v, %v, %v", resp, err, c.Requests())
	}
}

// The beat delivers, runs what was asked for, and tells of failures; it ends with the server.
func TestBeat(t *testing.T) {
	c := &smallCloud{Frame: simcloud.NewFrame[line]()}
	asked, ran, failed, delivered := make(chan struct{}, 1), make(chan struct{}), make(chan error, 1), make(chan struct{}, 1)
	asked <- struct{}{}
	broken := errors.New("broken")
	_, stop, err := c.Serve("127.0.0.1:0", c, nil, simcloud.Beat{
		Every: time.Millisecond,
		Deliver: func(context.Context) error {
			select {
			case delivered <- struct{}{}:
			default:
			}
			return nil
		},
		Asked:  asked,
		Run:    func(context.Context) error { close(ran); return broken },
		Failed: func(err error) { failed <- err },
	})
	if err != nil {
		t.Fatal(err)
	}
	<-ran
	<-delivered
	if err := <-failed; !errors.Is(err, broken) {
		t.Errorf("told is %v", err)
	}
	stop()
	<-c.Down()
}

// state is what the cloud of TestState knows.
type state struct {
	simcloud.Counter
	Names []string `json:"names"`
}

// What was saved is loaded; identifiers go on where they stopped.
func TestState(t *testing.T) {
	dir := t.TempDir()
	first := &state{Names: []string{"a"}}
	if err := simcloud.Load(dir, first); err != nil || len(first.Names) != 1 {
		t.Fatalf("an empty folder: %v, %v", first, err)
	}
	ids := []string{first.ID(8), first.UUID(), first.Number(12)}
	simcloud.MustSave(dir, first)
	again := &state{}
	if err := simcloud.Load(dir, again); err != nil || !slices.Equal(again.Names, first.Names) {
		t.Fatalf("%v, %v", again, err)
	}
	ids = append(ids, again.ID(8), again.UUID(), again.Number(12))
	slices.Sort(ids)
	if len(slices.Compact(ids)) != 6 {
		t.Errorf("an identifier twice: %v", ids)
	}
	if err := simcloud.Save(dir+"/missing", first); err == nil {
		t.Error("saved into nowhere")
	}
}
