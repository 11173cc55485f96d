package google

import (
	"bytes"
	"fmt"
	"math/big"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/decimal256"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/duckdb/duckdb-go/v2"
)

// arrowSchema is a schema as the Storage Read API gives it (its documented mapping of types).
func arrowSchema(columns []column) *arrow.Schema {
	return arrow.NewSchema(arrowFields(columns), nil)
}

func arrowFields(columns []column) []arrow.Field {
	var out []arrow.Field
	for _, c := range columns {
		typ := arrowType(c)
		if c.Mode == "REPEATED" {
			typ = arrow.ListOfField(arrow.Field{Name: "item", Type: typ, Nullable: true})
		}
		out = append(out, arrow.Field{Name: c.Name, Type: typ, Nullable: c.Mode != "REPEATED"})
	}
	return out
}

func arrowType(c column) arrow.DataType {
	switch c.Type {
	case "INTEGER":
		return arrow.PrimitiveTypes.Int64
	case "FLOAT":
		return arrow.PrimitiveTypes.Float64
	case "NUMERIC":
		return &arrow.Decimal128Type{Precision: 38, Scale: 9}
	case "BIGNUMERIC":
		return &arrow.Decimal256Type{Precision: 76, Scale: 38}
	case "BOOLEAN":
		return arrow.FixedWidthTypes.Boolean
	case "DATE":
		return arrow.FixedWidthTypes.Date32
	case "TIMESTAMP":
		return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	case "RECORD":
		return arrow.StructOf(arrowFields(c.Fields)...)
	}
	return arrow.BinaryTypes.String
}

// stream is an Arrow IPC stream without its 8-byte end marker: the protocol sends schema and batches apart.
func stream(schema *arrow.Schema, batches ...arrow.RecordBatch) ([]byte, error) {
	var b bytes.Buffer
	w := ipc.NewWriter(&b, ipc.WithSchema(schema))
	for _, batch := range batches {
		if err := w.Write(batch); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes()[:b.Len()-8], nil
}

// batchOf is rows as one serialized record batch.
func batchOf(columns []column, rows [][]any) ([]byte, error) {
	schema := arrowSchema(columns)
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer builder.Release()
	for _, row := range rows {
		for i, c := range columns {
			if err := put(builder.Field(i), c, row[i]); err != nil {
				return nil, err
			}
		}
	}
	batch := builder.NewRecordBatch()
	defer batch.Release()
	head, err := stream(schema)
	if err != nil {
		return nil, err
	}
	whole, err := stream(schema, batch)
	if err != nil {
		return nil, err
	}
	return whole[len(head):], nil
}

// put appends one value.
func put(b array.Builder, c column, v any) error {
	if c.Mode == "REPEATED" {
		lists, items := b.(*array.ListBuilder), []any{}
		if given, isList := v.([]any); isList {
			items = given
		}
		lists.Append(true)
		one := c
		one.Mode = "NULLABLE"
		for _, item := range items {
			if err := put(lists.ValueBuilder(), one, item); err != nil {
				return err
			}
		}
		return nil
	}
	if v == nil {
		b.AppendNull()
		return nil
	}
	if c.Type == "RECORD" {
		records := b.(*array.StructBuilder)
		records.Append(true)
		for i, value := range members(c, v) {
			if err := put(records.FieldBuilder(i), c.Fields[i], value); err != nil {
				return err
			}
		}
		return nil
	}
	return putScalar(b, c, v)
}

func putScalar(b array.Builder, c column, v any) error {
	switch x := v.(type) {
	case duckdb.Decimal:
		return putDecimal(b, x)
	case time.Time:
		if dates, isDate := b.(*array.Date32Builder); isDate {
			dates.Append(arrow.Date32FromTime(x))
			return nil
		}
		b.(*array.TimestampBuilder).Append(arrow.Timestamp(x.UnixMicro()))
	case *big.Int:
		b.(*array.Int64Builder).Append(x.Int64())
	case int64:
		b.(*array.Int64Builder).Append(x)
	case int32:
		b.(*array.Int64Builder).Append(int64(x))
	case float64:
		b.(*array.Float64Builder).Append(x)
	case bool:
		b.(*array.BooleanBuilder).Append(x)
	case string:
		b.(*array.StringBuilder).Append(x)
	default:
		return fmt.Errorf("a %T in the column %s", v, c.Name)
	}
	return nil
}

// putDecimal rescales to 9 digits behind the point, or 38.
func putDecimal(b array.Builder, d duckdb.Decimal) error {
	scale := int64(9)
	wide, isWide := b.(*array.Decimal256Builder)
	if isWide {
		scale = 38
	}
	n := new(big.Int).Mul(d.Value, new(big.Int).Exp(big.NewInt(10), big.NewInt(scale-int64(d.Scale)), nil))
	if isWide {
		wide.Append(decimal256.FromBigInt(n))
		return nil
	}
	b.(*array.Decimal128Builder).Append(decimal128.FromBigInt(n))
	return nil
}
