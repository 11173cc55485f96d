package control

import (
	"encoding/csv"
	"io"
	"strings"

	"outlay"
)

// WriteCSV writes a table by RFC 4180. Text that a spreadsheet would run as a formula gets a leading apostrophe;
// figures are written by us and stay as they are, or every credit would be spoiled (reliability.md M30).
func WriteCSV(w io.Writer, t outlay.Table) error {
	out := csv.NewWriter(w)
	head := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		head[i] = c.Name
	}
	if err := out.Write(head); err != nil {
		return err
	}
	for _, row := range t.Rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			if cells[i] = cell; !t.Columns[i].Right {
				cells[i] = defuse(cell)
			}
		}
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func defuse(cell string) string {
	if cell != "" && strings.ContainsAny(string([]rune(cell)[:1]), "=+-@\t\r\n\x00＝＋－＠") {
		return "'" + cell
	}
	return cell
}
