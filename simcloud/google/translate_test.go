package google

import (
	"errors"
	"strings"
	"testing"
)

func translator() *translation {
	return &translation{
		params: map[string]string{"m": "'202610'"}, now: "TIMESTAMP '2026-11-16'",
		resolve: func(name string) (string, error) {
			if strings.Contains(name, "gone") {
				return "", errors.New("Not found: " + name)
			}
			return quoted(name), nil
		},
	}
}

func TestTranslations(t *testing.T) {
	for google, want := range map[string]string{
		"SELECT a FROM `p-1.d.t` WHERE m = @m":                      `SELECT a FROM "p-1.d.t" AS "t" WHERE m = '202610'`,
		"SELECT a FROM d.t AS x":                                    `SELECT a FROM "d.t" AS x`,
		"SELECT * EXCEPT (a) FROM `d.t`, UNNEST(l) AS c":            `SELECT * EXCLUDE ( a ) FROM "d.t" AS "t" , unnest(l) AS c_of_list(c)`,
		"SELECT l[OFFSET(0)], [1, 2] FROM `d`.`t` # words":          `SELECT l [1 + (0)] , [1 , 2] FROM "d.t" AS "t"`,
		"SELECT NUMERIC '1.5', SAFE.SUBSTR(a, 1)":                   `SELECT CAST('1.5' AS DECIMAL(38,9)) , TRY(substr(a, 1))`,
		"SELECT DATE_DIFF(a, b, DAY), PARSE_DATE('%Y%m', m)":        `SELECT date_diff('day', b, a) , CAST(strptime(m, '%Y%m') AS DATE)`,
		"SELECT TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 5 DAY)": `SELECT CAST(TIMESTAMP '2026-11-16' - INTERVAL (5) DAY AS TIMESTAMP)`,
	} {
		got, err := translator().translate(google)
		if err != nil || got != want {
			t.Errorf("%s\n got %s, %v\nwant %s", google, got, err, want)
		}
	}
	for _, bad := range []string{"", "UPDATE t SET a = 1", "SELECT a FROM `gone.t`", "SELECT SAFE.", "SELECT l[OFFSET]", "SELECT \xff", "SELECT UNNEST", "SELECT 'a' -- \n FROM", "SELECT $1"} {
		if got, err := translator().translate(bad); err == nil && bad != "SELECT UNNEST" && bad != "SELECT 'a' -- \n FROM" {
			t.Errorf("%q became %q", bad, got)
		}
	}
}

func TestTypesOfDuckDB(t *testing.T) {
	c, err := parseType("l", `STRUCT("key" VARCHAR, v STRUCT(n DECIMAL(38,9), t TIMESTAMP[]))[]`)
	if err != nil || c.Mode != "REPEATED" || c.Type != "RECORD" || len(c.Fields) != 2 || c.Fields[1].Fields[0].Type != "NUMERIC" || c.Fields[1].Fields[1].Mode != "REPEATED" {
		t.Errorf("got %+v, %v", c, err)
	}
	for _, bad := range []string{"", "STRUCT(", "STRUCT(a", `STRUCT("a`, "MAP(VARCHAR, VARCHAR)", "BIGINT[][]", "BIGINT)", "STRUCT(a BIGINT"} {
		if c, err := parseType("x", bad); err == nil {
			t.Errorf("%q became %+v", bad, c)
		}
	}
}

// Whatever comes in a statement, the translation ends without a panic.
func FuzzTranslate(f *testing.F) {
	f.Add("SELECT CAST(a AS NUMERIC), l[OFFSET(0)] FROM `p.d.t`, UNNEST(l) AS c WHERE x IN UNNEST([1]) -- y")
	f.Add("WITH m AS (SELECT SAFE.f(@m) FROM UNNEST(x)) SELECT * EXCEPT (a) FROM m")
	f.Add("SELECT 'a\\'b', r\"c\", `d` FROM (SELECT STRUCT(1 AS a)) JOIN t USING (a)")
	f.Fuzz(func(t *testing.T, sql string) {
		if got, err := translator().translate(sql); err == nil && got == "" {
			t.Errorf("%q became nothing", sql)
		}
	})
}

// Whatever DuckDB calls a type, the parser ends without a panic.
func FuzzParseType(f *testing.F) {
	f.Add(`STRUCT("key" VARCHAR, v DECIMAL(38,9)[])`)
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := parseType("x", text); err == nil && c.Type == "" {
			t.Errorf("%q became no type", text)
		}
	})
}
