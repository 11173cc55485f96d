package main

import (
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	simaws "outlay/simcloud/aws"
)

// child is a server in a process of its own.
type child struct {
	cmd *exec.Cmd
	log *output
	url string
}

var (
	listens = regexp.MustCompile(`listens on (http://\S+)`)
	oneTime = regexp.MustCompile(`one-time code (\S+)`)
)

// startChild runs `outlay serve` as its own process on a free port.
func startChild(t *testing.T, data string, env ...string) *child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{log: &output{}}
	c.cmd = exec.Command(self, "serve", "--data", data, "--listen", "127.0.0.1:0", "--look-every", "2s")
	c.cmd.Args[0] = "outlay" // TestMain takes the process for the command by its name
	c.cmd.Env, c.cmd.Stderr, c.cmd.Stdout = env, c.log, c.log
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.kill)
	await(t, 60*time.Second, "the server to listen", func() bool { return listens.MatchString(c.log.String()) })
	c.url = listens.FindStringSubmatch(c.log.String())[1]
	return c
}

// kill is kill -9.
func (c *child) kill() {
	if c.cmd.ProcessState == nil {
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
	}
}

// TestKilledServerResumes kills the server while AWS has made the export and the answer is lost, starts it again, and
// finds the run finished with one bucket and one export.
func TestKilledServerResumes(t *testing.T) {
	dir := t.TempDir()
	sim, err := simaws.New(simaws.Options{Dir: filepath.Join(dir, "sim"), ExportQuota: 9})
	if err != nil {
		t.Fatal(err)
	}
	sim.AddAccount(demoServer, "server")
	sim.AddAccount(demoPayer, "prod")
	id, key := sim.AddUser(demoServer, "outlay", "sts:AssumeRole")
	simURL, stop, err := sim.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	data := filepath.Join(dir, "data")
	env := []string{"HOME=" + dir, "OUTLAY_AWS_ENDPOINT=" + simURL, "OUTLAY_AWS_IDENTITY=keys", "OUTLAY_AWS_ACCESS_KEY_ID=" + id, "OUTLAY_AWS_SECRET_ACCESS_KEY=" + key}
	first := startChild(t, data, env...)
	d := &demo{url: first.url, data: dir, log: first.log}
	d.setUp(t, oneTime.FindStringSubmatch(first.log.String())[1])
	added := d.must(t, "accounts", "add", "prod", "--provider", "aws", "--kind", "role", "--set", "role_arn=arn:aws:iam::"+demoPayer+":role/"+demoRole, "-o", "csv")
	sim.AddRole(demoPayer, demoRole, sim.UserARN(demoServer, "outlay"), externalID(t, added), "*")
	sim.Fault(simaws.Fault{Match: "CreateExport", Kind: simaws.HangAfter, Times: -1})
	d.must(t, "billing", "provision", "prod", "--wait=false")
	await(t, 60*time.Second, "AWS to make the export", func() bool { return len(sim.Exports()) == 1 })

	if _, errs, code := (&demo{url: first.url, token: d.token, data: dir}).serveTwice(t, data); code == 0 || !strings.Contains(errs, "another server works on") {
		t.Errorf("a second server on the same folder: exit %d, %s", code, errs)
	}
	first.kill()
	sim.ClearFaults()
	second := startChild(t, data, env...)
	d.url, d.log = second.url, second.log
	if out, errs, code := d.command(t, "billing", "watch", "prod", "--timeout", "3m"); code != 0 {
		t.Fatalf("after the restart: exit %d\n%s%s\n%s", code, out, errs, second.log)
	}
	if b, e := len(sim.Buckets()), len(sim.Exports()); b != 1 || e != 1 {
		t.Errorf("%d buckets and %d exports, want one of each", b, e)
	}
}

// serveTwice starts a second server on a folder, in this process.
func (d *demo) serveTwice(t *testing.T, data string) (stdout, stderr string, code int) {
	t.Helper()
	return d.command(t, "serve", "--data", data, "--listen", "127.0.0.1:0")
}

// setUp makes the first administrator with the one-time code, and signs the command line in.
func (d *demo) setUp(t *testing.T, code string) {
	t.Helper()
	form := url.Values{"code": {code}, "organization": {"Killed"}, "name": {"Admin"}, "email": {"admin@killed.example"}, "password": {"correct horse battery"}}
	resp, err := http.PostForm(d.url+"/setup", form)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode >= 400 {
		t.Fatalf("setup answers %s", resp.Status)
	}
	errs := &output{}
	contextFile := filepath.Join(d.data, "context.json")
	exit := run(t.Context(), world{args: []string{"login", "--email", "admin@killed.example"}, in: strings.NewReader("correct horse battery\n"), out: errs, err: errs, env: func(name string) string {
		return map[string]string{"OUTLAY_URL": d.url, "OUTLAY_CONTEXT": contextFile}[name]
	}})
	if exit != 0 {
		t.Fatalf("login: exit %d: %s", exit, errs)
	}
	d.token = readContext(t, contextFile).Token
}

// externalID is the value that the new account's trust policy has to ask for.
func externalID(t *testing.T, csv string) string {
	t.Helper()
	found := regexp.MustCompile(`external_id,(\S+)`).FindStringSubmatch(csv)
	if found == nil {
		t.Fatalf("no external id in %s", csv)
	}
	return found[1]
}
