package lake

import (
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"outlay"
	"outlay/sqldb"
)

// TestEvolve begins with the table of a program that stored two columns less.
func TestEvolve(t *testing.T) {
	dir := t.TempDir()
	store, err := sqldb.Open(t.Context(), "sqlite:"+filepath.Join(dir, "outlay.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	db, dialect, err := store.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l, err := Open(t.Context(), Options{DB: db, Dialect: dialect, Warehouse: filepath.Join(dir, "warehouse"), Clock: outlay.SystemClock{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.catalog.CreateNamespace(t.Context(), table.Identifier{"org_old"}, nil); err != nil {
		t.Fatal(err)
	}
	all := schema().Fields()
	if err := l.create(t.Context(), "org_old", iceberg.NewSchema(0, all[:len(all)-2]...)); err != nil {
		t.Fatal(err)
	}
	var schemas []int
	for range 2 { // the second time there is nothing to add
		got, err := l.loadOrCreate(t.Context(), "org_old")
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range outlay.FocusColumns() {
			if f, ok := got.Schema().FindFieldByID(c.ID); !ok || f.Name != c.Name {
				t.Errorf("field %d is %q, want %q", c.ID, f.Name, c.Name)
			}
		}
		schemas = append(schemas, len(got.Schemas()))
	}
	if schemas[0] != schemas[1] {
		t.Errorf("the table had %d schemas, then %d", schemas[0], schemas[1])
	}
}
