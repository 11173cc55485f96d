package aws

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"outlay"
	"outlay/duckdb"
	cloud "outlay/simcloud/aws"

	"github.com/google/go-cmp/cmp"
)

// TestMain makes this binary its own parsing child, as the command 'outlay parse' is in the product.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "parse" {
		if err := duckdb.ParseMain(os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestDeliveredChargesBecomeFocus takes a delivery all the way: fetched, and read through the mapping.
func TestDeliveredChargesBecomeFocus(t *testing.T) {
	w := newWorld(t, payerAccount, cloud.Options{RowsPerMonth: 400, HistoryMonths: 1, TagsReachBack: true})
	w.SeeTags(outlay.TagKeys()...)
	w.up()
	w.deliver()
	d := w.deliveries()[0]
	files, err := w.p.Fetch(t.Context(), w.a, w.s, d, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	mapping, err := w.p.Mapping(d.Format)
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	parsed, err := duckdb.Child{Command: []string{os.Args[0], "parse"}}.Parse(t.Context(), outlay.ParseJob{
		OrgID: "org_1", SourceID: "src_1", Files: files, Mapping: mapping, Period: d.Period, OutDir: out, Generation: "gen_1", Threads: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(parsed) != 1 || parsed[0].Period != d.Period || parsed[0].Proof.Rows < 100 {
		t.Fatalf("parsed: %+v", parsed)
	}
	proof := parsed[0].Proof
	if diff := cmp.Diff(proof.Read, proof.Written); diff != "" || proof.Rounded != 0 {
		t.Errorf("sums differ, or %d figures were rounded:\n%s", proof.Rounded, diff)
	}
	for _, x := range []string{"x_Discounts", "x_Operation", "x_ServiceCode"} {
		if !slices.Contains(proof.Unknown, x) {
			t.Errorf("%s was not kept aside: %v", x, proof.Unknown)
		}
	}
	var accounts []string
	for _, a := range parsed[0].SubAccounts {
		accounts = append(accounts, a.ID)
	}
	slices.Sort(accounts)
	if diff := cmp.Diff([]string{payerAccount, memberAccount}, accounts); diff != "" {
		t.Errorf("sub accounts (-want +got):\n%s", diff)
	}
	paths := filepath.Join(out, "gen_1*")
	if got := filepath.Dir(parsed[0].Files[0].Path); got != "." {
		paths = parsed[0].Files[0].Path
	}
	checkRows(t, paths, files, proof)
}

// checkRows compares the written rows with the delivered ones by a way of its own.
func checkRows(t *testing.T, written string, delivered []string, proof outlay.Proof) {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var rows, users, noAccount int64
	var billed string
	err = db.QueryRow(fmt.Sprintf(`SELECT count(*), count(tag_User), count(*) FILTER (SubAccountId IS NULL OR SubAccountId = ''), CAST(sum(BilledCost) AS VARCHAR) FROM read_parquet('%s')`, written)).
		Scan(&rows, &users, &noAccount, &billed)
	if err != nil {
		t.Fatal(err)
	}
	if rows != proof.Rows || users == 0 || noAccount != 0 {
		t.Errorf("%d rows of %d, %d with the tag User, %d without an account", rows, proof.Rows, users, noAccount)
	}
	want := outlay.MustAmount("0", "")
	for _, f := range delivered {
		want = want.Add(sumOf(t, db, f))
	}
	if got := outlay.MustAmount(billed, ""); got.Cmp(want) != 0 {
		t.Errorf("the sum is %s, delivered were %s", got, want)
	}
}

// sumOf adds the delivered costs of a file up, each by its shortest text.
func sumOf(t *testing.T, db *sql.DB, file string) outlay.Amount {
	t.Helper()
	list, err := db.Query(fmt.Sprintf(`SELECT CAST(BilledCost AS VARCHAR) FROM read_parquet('%s')`, file))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = list.Close() }()
	var sum outlay.Amount
	for list.Next() {
		var s string
		if err := list.Scan(&s); err != nil {
			t.Fatal(err)
		}
		sum = sum.Add(outlay.MustAmount(s, ""))
	}
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	return sum
}
