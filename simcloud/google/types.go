package google

import (
	"fmt"
	"strings"
)

// column is a field of a BigQuery schema.
type column struct {
	Name   string
	Type   string // as the REST interface spells it: "STRING", "FLOAT", "RECORD"
	Mode   string // "NULLABLE", "REPEATED"
	Fields []column
}

// fields writes columns as a schema on the wire.
func fields(columns []column) []any {
	out := []any{}
	for _, c := range columns {
		f := obj{"name": c.Name, "type": c.Type, "mode": c.Mode}
		if len(c.Fields) > 0 {
			f["fields"] = fields(c.Fields)
		}
		out = append(out, f)
	}
	return out
}

// bytes is what a value of the column is reckoned at when a query is billed: 8 for numbers and times, as Google counts,
// and an average for texts and lists.
func (c column) bytes() int64 {
	var n int64
	switch c.Type {
	case "RECORD":
		for _, f := range c.Fields {
			n += f.bytes()
		}
	case "STRING":
		n = 14
	case "NUMERIC", "BIGNUMERIC":
		n = 16
	default:
		n = 8
	}
	if c.Mode == "REPEATED" {
		n *= 2
	}
	return n
}

// parseType turns the text of a DuckDB type into a column.
func parseType(name, text string) (column, error) {
	p := &typeParser{rest: text}
	c, err := p.parse(name)
	if err == nil && p.rest != "" {
		err = fmt.Errorf("type %q of %s", text, name)
	}
	return c, err
}

type typeParser struct{ rest string }

func (p *typeParser) parse(name string) (column, error) {
	c := column{Name: name, Mode: "NULLABLE"}
	if rest, isStruct := strings.CutPrefix(p.rest, "STRUCT("); isStruct {
		p.rest = rest
		c.Type = "RECORD"
		if err := p.members(&c); err != nil {
			return c, err
		}
	} else if err := p.scalar(&c); err != nil {
		return c, err
	}
	for strings.HasPrefix(p.rest, "[]") {
		if c.Mode == "REPEATED" {
			return c, fmt.Errorf("a list of lists in %s", name)
		}
		c.Mode, p.rest = "REPEATED", p.rest[2:]
	}
	return c, nil
}

func (p *typeParser) members(c *column) error {
	for {
		name, err := p.member()
		if err != nil {
			return err
		}
		f, err := p.parse(name)
		if err != nil {
			return err
		}
		c.Fields = append(c.Fields, f)
		if rest, more := strings.CutPrefix(p.rest, ", "); more {
			p.rest = rest
			continue
		}
		rest, end := strings.CutPrefix(p.rest, ")")
		if !end {
			return fmt.Errorf("a struct that does not end: %q", p.rest)
		}
		p.rest = rest
		return nil
	}
}

// member is the name of a struct's field, quoted where it is a keyword.
func (p *typeParser) member() (string, error) {
	if rest, quoted := strings.CutPrefix(p.rest, `"`); quoted {
		name, after, found := strings.Cut(rest, `" `)
		if !found {
			return "", fmt.Errorf("a name that does not end: %q", p.rest)
		}
		p.rest = after
		return name, nil
	}
	name, after, found := strings.Cut(p.rest, " ")
	if !found {
		return "", fmt.Errorf("a field without a type: %q", p.rest)
	}
	p.rest = after
	return name, nil
}

func (p *typeParser) scalar(c *column) error {
	end := strings.IndexAny(p.rest, ",)[")
	if strings.HasPrefix(p.rest, "DECIMAL(") {
		end = strings.IndexByte(p.rest, ')') + 1
	}
	if end < 0 {
		end = len(p.rest)
	}
	text := p.rest[:end]
	p.rest = p.rest[end:]
	c.Type = scalarType(text)
	if c.Type == "" {
		return fmt.Errorf("type %q of %s", text, c.Name)
	}
	return nil
}

func scalarType(duck string) string {
	switch duck {
	case "VARCHAR", "JSON", `"NULL"`:
		return "STRING"
	case "BIGINT", "INTEGER", "HUGEINT", "SMALLINT", "TINYINT", "UBIGINT", "UINTEGER":
		return "INTEGER"
	case "DOUBLE", "FLOAT":
		return "FLOAT"
	case "BOOLEAN":
		return "BOOLEAN"
	case "DATE":
		return "DATE"
	case "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP_MS":
		return "TIMESTAMP"
	}
	var width, scale int
	if n, err := fmt.Sscanf(duck, "DECIMAL(%d,%d)", &width, &scale); err == nil && n == 2 {
		if scale > 9 {
			return "BIGNUMERIC"
		}
		return "NUMERIC"
	}
	return ""
}
