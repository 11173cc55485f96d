package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"outlay"
	"outlay/control"
)

// show prints a table as asked: for people, or as CSV; with -o json it prints whole, which is what the API answers.
func (c *cli) show(t outlay.Table, whole any) error {
	switch c.output {
	case "json":
		return c.json(whole)
	case "csv":
		return control.WriteCSV(c.out, t)
	}
	w := table.NewWriter()
	style := table.StyleLight
	style.Options = table.Options{SeparateColumns: false, SeparateHeader: true}
	style.Format.Header = text.FormatDefault
	style.Format.Footer = text.FormatDefault
	w.SetStyle(style)
	head, configs := table.Row{}, []table.ColumnConfig{}
	for i, col := range t.Columns {
		head = append(head, col.Title)
		if col.Right {
			configs = append(configs, table.ColumnConfig{Number: i + 1, Align: text.AlignRight, AlignHeader: text.AlignRight})
		}
	}
	w.AppendHeader(head)
	w.SetColumnConfigs(configs)
	for _, row := range t.Rows {
		line := table.Row{}
		for _, cell := range row {
			line = append(line, cell)
		}
		w.AppendRow(line)
	}
	_, err := fmt.Fprintln(c.out, w.Render())
	return err
}

func (c *cli) json(v any) error {
	enc := json.NewEncoder(c.out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// columns makes plain columns; a name that begins with '>' is aligned right.
func columns(names ...string) []outlay.Column {
	var out []outlay.Column
	for _, n := range names {
		right := n[0] == '>'
		if right {
			n = n[1:]
		}
		out = append(out, outlay.Column{Name: n, Title: n, Right: right})
	}
	return out
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}
