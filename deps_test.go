package outlay_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rooms is the plan of the house (ARCHITECTURE.md): which rooms a room may import. Every room may import the root.
// simcloud, outlaytest and tests may open anything.
var rooms = map[string][]string{
	"":           {},
	"api":        {"control", "auth"},
	"auth":       {},
	"aws":        {},
	"azure":      {},
	"client":     {"control"}, // for the shapes of answers only
	"control":    {},
	"detect":     {"operation"},
	"duckdb":     {},
	"google":     {},
	"ingest":     {"operation"},
	"lake":       {},
	"operation":  {},
	"provision":  {"operation"},
	"secret":     {},
	"sqldb":      {},
	"web":        {"control", "auth", "web/chart"},
	"web/chart":  {},
	"cmd/outlay": {"*"}, "bench": {"*"}, "outlaytest": {"*"},
	"simcloud":     {}, // what the three have in common
	"simcloud/aws": {"*"}, "simcloud/azure": {"*"}, "simcloud/google": {"*"}, "simcloud/bill": {"*"},
}

// doors says which room opens which third party; everything not named here is closed to all.
var doors = map[string][]string{
	"github.com/cockroachdb/apd/v3":         {""},
	"github.com/aws/aws-sdk-go-v2":          {"aws"},
	"github.com/aws/smithy-go":              {"aws"},
	"github.com/Azure/azure-sdk-for-go/sdk": {"azure"},
	"cloud.google.com/go":                   {"google"},
	"google.golang.org/api":                 {"google"},
	"google.golang.org/grpc":                {"google"},
	"golang.org/x/oauth2":                   {"google"},
	"github.com/duckdb/duckdb-go/v2":        {"duckdb"},
	"github.com/apache/iceberg-go":          {"lake"},
	"github.com/apache/arrow-go/v18":        {"lake", "duckdb", "google"},
	"modernc.org/sqlite":                    {"sqldb"},
	"github.com/jackc/pgx/v5":               {"sqldb"},
	"github.com/pressly/goose/v3":           {"sqldb"},
	"github.com/tink-crypto/tink-go/v2":     {"secret"},
	"google.golang.org/protobuf":            {"secret"}, // the form in which Tink keeps a keyset
	"github.com/google/uuid":                {"lake"},   // iceberg-go's identifiers
	"github.com/alexedwards/scs/v2":         {"auth"},
	"golang.org/x/crypto":                   {"auth"},
	"golang.org/x/time":                     {"auth", "aws", "azure", "google"},
	"github.com/danielgtaylor/huma/v2":      {"api"},
	"github.com/klauspost/compress":         {"web", "duckdb"},
	"golang.org/x/sys":                      {"duckdb"}, // limits of the parser child
	"golang.org/x/sync":                     {"duckdb"},
	"github.com/spf13/cobra":                {"cmd/outlay"},
	"github.com/spf13/pflag":                {"cmd/outlay"},
	"github.com/jedib0t/go-pretty/v6":       {"cmd/outlay"},
	"github.com/mattn/go-isatty":            {"cmd/outlay"},
	"github.com/dustin/go-humanize":         {"aws", "azure", "google", "control", "web"}, // sizes for people
}

// finding is one broken rule.
type finding struct{ file, text string }

func (f finding) String() string { return f.file + ": " + f.text }

// TestHouse walks the tree and holds every file against the plan.
func TestHouse(t *testing.T) {
	commented := map[string]bool{}
	seen := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if skipped(path) {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(path, ".html") || strings.HasPrefix(path, "web/static/app.") {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if name := cloudNames.FindString(markup.ReplaceAllString(string(text), "")); name != "" {
				t.Error(finding{path, "names a cloud: " + name})
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		room := roomOf(path)
		seen[room] = true
		commented[room] = commented[room] || file.Doc != nil
		for _, f := range check(room, path, file) {
			t.Error(f)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for room := range seen {
		if !commented[room] {
			t.Errorf("room %q has no package comment", room)
		}
	}
}

func skipped(path string) bool {
	return path != "." && (strings.HasPrefix(filepath.Base(path), ".") || slices.Contains([]string{"node_modules", "build", "tools", "testdata"}, filepath.Base(path)))
}

func roomOf(path string) string {
	dir := filepath.ToSlash(filepath.Dir(path))
	if dir == "." {
		return ""
	}
	return dir
}

// check lists what one file of a room does that the plan does not allow.
func check(room, path string, file *ast.File) []finding {
	var out []finding
	add := func(format string, args ...any) { out = append(out, finding{path, fmt.Sprintf(format, args...)}) }
	allowed, known := rooms[room]
	if !known {
		add("%q is not a room of the plan", room)
		return out
	}
	if slices.Contains(allowed, "*") && room != "cmd/outlay" {
		return out
	}
	for _, spec := range file.Imports {
		if why := forbidden(room, path, allowed, unquote(spec.Path.Value)); why != "" {
			add("%s", why)
		}
	}
	if room != "cmd/outlay" {
		out = append(out, process(path, file)...)
	}
	out = append(out, globals(path, file)...)
	if !slices.Contains([]string{"aws", "azure", "google", "cmd/outlay"}, room) {
		out = append(out, clouds(path, file)...)
	}
	return out
}

func unquote(s string) string { u, _ := strconv.Unquote(s); return u }

func forbidden(room, path string, allowed []string, imported string) string {
	inner, ours := strings.CutPrefix(imported, "outlay/")
	switch {
	case imported == "outlay":
		return ""
	case ours:
		if slices.Contains(allowed, inner) || slices.Contains(allowed, "*") {
			return ""
		}
		return fmt.Sprintf("%q may not import the room %q", room, inner)
	case !strings.Contains(strings.Split(imported, "/")[0], "."):
		if imported == "flag" && room != "cmd/outlay" {
			return "flag is for cmd/outlay"
		}
		return ""
	}
	for module, owners := range doors {
		if imported != module && !strings.HasPrefix(imported, module+"/") {
			continue
		}
		if slices.Contains(owners, room) && !(room == "" && filepath.Base(path) != "money.go") {
			return ""
		}
		return fmt.Sprintf("%s is opened by %v, not by %q", imported, owners, room)
	}
	return imported + " has no door in this house"
}

// process finds calls that belong to cmd/outlay: the environment and the end of the process.
func process(path string, file *ast.File) []finding {
	var out []finding
	ast.Inspect(file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		pkg, ok := sel.X.(*ast.Ident)
		if ok && pkg.Name == "os" && slices.Contains([]string{"Getenv", "LookupEnv", "Environ", "Exit"}, sel.Sel.Name) {
			out = append(out, finding{path, "os." + sel.Sel.Name + " is for cmd/outlay"})
		}
		return true
	})
	return out
}

// globals finds init functions and package variables other than embeds, compiled regexps and sentinel tables.
func globals(path string, file *ast.File) []finding {
	var out []finding
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Name.Name == "init" && f.Recv == nil {
			out = append(out, finding{path, "no init functions"})
		}
		g, ok := decl.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, spec := range g.Specs {
			v := spec.(*ast.ValueSpec)
			if !sentinel(g, v) {
				out = append(out, finding{path, "no package variables: " + v.Names[0].Name})
			}
		}
	}
	return out
}

func sentinel(g *ast.GenDecl, v *ast.ValueSpec) bool {
	if v.Names[0].Name == "_" || v.Names[0].Name == "version" || embedded(g.Doc) || embedded(v.Doc) {
		return true
	}
	if len(v.Values) == 0 {
		return false
	}
	switch x := v.Values[0].(type) {
	case *ast.CompositeLit:
		return true
	case *ast.CallExpr:
		name := callName(x)
		return name == "regexp.MustCompile" || name == "errors.New" || name == "template.FuncMap"
	}
	return false
}

func embedded(doc *ast.CommentGroup) bool {
	if doc == nil {
		return false
	}
	return slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed") })
}

func callName(c *ast.CallExpr) string {
	if sel, ok := c.Fun.(*ast.SelectorExpr); ok {
		if x, ok := sel.X.(*ast.Ident); ok {
			return x.Name + "." + sel.Sel.Name
		}
	}
	return ""
}

// markup is what a template or stylesheet may say of clouds: comments.
var markup = regexp.MustCompile(`(?s)/\*.*?\*/|<!--.*?-->|{{/\*.*?\*/}}`)

var cloudNames = regexp.MustCompile(`(?i)\baws|aws\b|azure|google|\bgcp|gcp\b`)

// tinkTypes begins the names of Tink's key types, which are not about a cloud.
const tinkTypes = "type.googleapis.com/google.crypto.tink"

// clouds finds the name of a cloud in code outside its room: after normalisation nothing switches on the provider. In
// the root it may stand in comments, which give the words' meaning.
func clouds(path string, file *ast.File) []finding {
	var out []finding
	ast.Inspect(file, func(n ast.Node) bool {
		var text string
		switch x := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.Ident:
			text = x.Name
		case *ast.BasicLit:
			text = x.Value
		}
		if cloudNames.MatchString(strings.ReplaceAll(text, tinkTypes, "")) {
			out = append(out, finding{path, "names a cloud: " + text})
		}
		return true
	})
	return out
}

// TestHouseCatches plants what the plan forbids and expects each to be found.
func TestHouseCatches(t *testing.T) {
	cases := map[string]struct{ room, source string }{
		"an adapter imports another":         {"aws", `import _ "outlay/lake"`},
		"a page opens the store":             {"web", `import _ "outlay/sqldb"`},
		"a room opens another's third party": {"ingest", `import _ "github.com/duckdb/duckdb-go/v2"`},
		"the root opens a third party":       {"", `import _ "github.com/spf13/cobra"`},
		"a third party without a door":       {"web", `import _ "example.org/left-pad"`},
		"the environment outside cmd":        {"sqldb", `import "os"; func f() string { return os.Getenv("X") }`},
		"the end of the process outside cmd": {"detect", `import "os"; func f() { os.Exit(1) }`},
		"flags outside cmd":                  {"lake", `import _ "flag"`},
		"an init function":                   {"secret", `func init() {}`},
		"a package variable":                 {"control", `var cache = make(map[string]int)`},
		"a cloud's name":                     {"control", `func f(p string) bool { return p == "azure" }`},
		"a room outside the plan":            {"helpers", ``},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			file, err := parser.ParseFile(token.NewFileSet(), "planted.go", "package x\n"+c.source, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if found := check(c.room, c.room+"/planted.go", file); len(found) == 0 {
				t.Error("was not found")
			}
		})
	}
	clean := `import ("regexp"; "outlay"); var word = regexp.MustCompile("a"); func f() outlay.Code { return "" }`
	file, err := parser.ParseFile(token.NewFileSet(), "clean.go", "package x\n"+clean, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	if found := check("control", "control/clean.go", file); len(found) != 0 {
		t.Errorf("found in a clean file: %v", found)
	}
}
