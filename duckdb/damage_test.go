package duckdb

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"outlay"
)

var damages = flag.Int("damage", 1000, "how many damaged files TestDamage parses")

// verdict is what became of one damaged file.
type verdict struct {
	Code    outlay.Code
	Message string
	Sum     string // EffectiveCost of all months
}

// parseLoop is a child that parses one job after the other, until a file kills it: starting a process for each of a
// thousand files would take most of the test's time.
func parseLoop(in io.Reader, out io.Writer) error {
	if err := limitProcess(outlay.ParseJob{}); err != nil {
		return err
	}
	jobs, answers := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var j outlay.ParseJob
		if err := jobs.Decode(&j); err != nil {
			return nil
		}
		periods, err := parse(context.Background(), j, newPhases(io.Discard))
		v := verdict{Code: outlay.CodeOf(err)}
		if err != nil {
			v.Message = outlay.AsError(err).Message
			if v.Code == outlay.CodeInternal {
				v.Message = err.Error()
			}
		}
		sum := outlay.Amount{}
		for _, p := range periods {
			for _, by := range p.Proof.Written { // of all currencies: a number to compare, not an amount
				sum = sum.Add(outlay.MustAmount(by[outlay.Effective], ""))
			}
		}
		v.Sum = sum.String()
		if err := answers.Encode(v); err != nil {
			return err
		}
	}
}

// looper talks to a parseLoop and starts another when it died.
type looper struct {
	t      *testing.T
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	deaths int
}

func (l *looper) parse(j outlay.ParseJob) (verdict, bool) {
	l.t.Helper()
	if l.cmd == nil {
		l.cmd = exec.Command(os.Args[0], "parse-loop")
		var err error
		if l.in, err = l.cmd.StdinPipe(); err != nil {
			l.t.Fatal(err)
		}
		out, err := l.cmd.StdoutPipe()
		if err != nil {
			l.t.Fatal(err)
		}
		l.out = bufio.NewReader(out)
		if err := l.cmd.Start(); err != nil {
			l.t.Fatal(err)
		}
	}
	line, err := json.Marshal(j)
	if err != nil {
		l.t.Fatal(err)
	}
	_, _ = l.in.Write(append(line, '\n'))
	answer, err := l.out.ReadBytes('\n')
	var v verdict
	if err != nil || json.Unmarshal(answer, &v) != nil {
		l.end()
		l.deaths++
		return verdict{}, false
	}
	return v, true
}

// end stops the child.
func (l *looper) end() {
	if l.cmd != nil {
		_ = l.in.Close()
		_ = l.cmd.Wait()
		l.cmd = nil
	}
}

// damage changes a file the way disks, networks and half deliveries do.
func damage(r *rand.Rand, whole []byte) (string, []byte) {
	b := append([]byte(nil), whole...)
	at, n := r.IntN(len(b)), 1+r.IntN(1+len(b)/8)
	end := min(at+n, len(b))
	switch r.IntN(8) {
	case 0:
		return "cut", b[:at]
	case 1:
		return "part lost", append(b[:at], b[end:]...)
	case 2:
		return "part twice", append(append(append([]byte(nil), b[:end]...), b[at:end]...), b[end:]...)
	case 3:
		clear(b[at:end])
		return "part blank", b
	}
	for range 1 + r.IntN(4) {
		b[r.IntN(len(b))] ^= 1 << r.IntN(8)
	}
	return "bits flipped", b
}

// TestDamage parses files damaged at random. The server's side must get a refusal that names the file, or rows; a
// child may die, which Child makes into such a refusal (TestChildDies). A file that was cut never passes for whole.
// Bits that turn one figure into another cannot be seen in a file without sums: fetching compares checksums for that.
func TestDamage(t *testing.T) {
	const seed = 11
	r := rand.New(rand.NewPCG(seed, 1))
	content := csvText(randomBill(r, 60)...)
	sources := map[string]string{"bill.csv": file(t, "bill.csv", content), "bill.csv.gz": gzipped(t, "bill.csv.gz", content), "bill.parquet": parquetOf(t, content, typed)}
	dir, out := t.TempDir(), t.TempDir()
	l := &looper{t: t}
	defer l.end()
	counts := map[string]int{}
	want := ""
	for i := range *damages {
		name := []string{"bill.parquet", "bill.parquet", "bill.parquet", "bill.csv", "bill.csv.gz"}[i%5]
		whole, err := os.ReadFile(sources[name])
		if err != nil {
			t.Fatal(err)
		}
		how, bytes := "none", whole
		if i >= 5 {
			how, bytes = damage(r, whole)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, bytes, 0o600); err != nil {
			t.Fatal(err)
		}
		v, alive := l.parse(outlay.ParseJob{SourceID: "src_1", Files: []string{path}, Mapping: FocusMapping(), OutDir: out, Generation: "gen", MemoryLimit: 256 << 20, Threads: 1})
		switch {
		case how == "none":
			if v.Code != "" || want != "" && v.Sum != want {
				t.Fatalf("%s as it is: %+v", name, v)
			}
			want = v.Sum
		case !alive:
			counts["child died"]++
		case v.Code == "" && v.Sum == want:
			counts["read, same sum"]++
		case v.Code == "":
			counts["read, another sum: "+how]++
			if how == "cut" {
				t.Errorf("seed %d, file %d: a cut %s passed", seed, i, name)
			}
		case v.Code != outlay.CodeInvalid || !strings.Contains(v.Message, name):
			t.Errorf("seed %d, file %d, %s %s: refused as %s: %s", seed, i, name, how, v.Code, v.Message)
		default:
			counts["refused"]++
		}
	}
	t.Log(fmt.Sprint(*damages, " files: ", counts))
}
