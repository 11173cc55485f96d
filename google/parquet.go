package google

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// groupRows is the number of rows of a row group: what is held in memory at once.
const groupRows = 20000

// writeParquet writes rows of texts, as they come, into a Parquet file. The parser makes figures and times of them.
func writeParquet(ctx context.Context, root *os.Root, name string, columns []string, rows func(context.Context, func([]*string) error) error) (err error) {
	file, err := root.Create(name)
	if err != nil {
		return fmt.Errorf("writing a staged file: %w", err)
	}
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = arrow.Field{Name: c, Type: arrow.BinaryTypes.String, Nullable: true}
	}
	schema := arrow.NewSchema(fields, nil)
	w, err := pqarrow.NewFileWriter(schema, file, parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy)), pqarrow.DefaultWriterProps())
	if err != nil {
		return errors.Join(fmt.Errorf("writing a staged file: %w", err), file.Close())
	}
	t := &textWriter{w: w, b: array.NewRecordBuilder(memory.DefaultAllocator, schema)}
	defer t.b.Release()
	if err := rows(ctx, t.add); err != nil {
		return errors.Join(err, w.Close()) // closes the file
	}
	if err := errors.Join(t.flush(), w.Close()); err != nil {
		return fmt.Errorf("writing a staged file: %w", err)
	}
	return nil
}

type textWriter struct {
	w *pqarrow.FileWriter
	b *array.RecordBuilder
	n int
}

func (t *textWriter) add(row []*string) error {
	for i, v := range row {
		column, ok := t.b.Field(i).(*array.StringBuilder)
		switch {
		case !ok:
			return errors.New("a column of a staged file is not of texts")
		case v == nil:
			column.AppendNull()
		default:
			column.Append(*v)
		}
	}
	if t.n++; t.n < groupRows {
		return nil
	}
	return t.flush()
}

func (t *textWriter) flush() error {
	if t.n == 0 {
		return nil
	}
	t.n = 0
	rec := t.b.NewRecordBatch()
	defer rec.Release()
	if err := t.w.Write(rec); err != nil {
		return fmt.Errorf("writing a staged file: %w", err)
	}
	return nil
}
