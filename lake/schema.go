package lake

import (
	"github.com/apache/iceberg-go"

	"outlay"
)

// Field ids of the two sides of the tag map. They are agreed with whoever writes the files (duckdb), and lie above
// every id that a FOCUS column will ever get.
const (
	tagKeyID   = 1001
	tagValueID = 1002
)

// Field ids of the two partition fields: Iceberg counts them apart from columns, from 1000 on.
const (
	sourceFieldID = 1000
	periodFieldID = 1001
)

// schema is outlay.FocusColumns as an Iceberg schema. Every column is optional, as Parquet writers mark them: what
// must not be null is proved before a version is published.
func schema() *iceberg.Schema {
	var fields []iceberg.NestedField
	for _, c := range outlay.FocusColumns() {
		fields = append(fields, iceberg.NestedField{ID: c.ID, Name: c.Name, Type: icebergType(c.Type)})
	}
	return iceberg.NewSchema(0, fields...)
}

func icebergType(t outlay.FocusType) iceberg.Type {
	switch t {
	case outlay.FocusCost:
		return iceberg.DecimalTypeOf(38, 18)
	case outlay.FocusNumber:
		return iceberg.PrimitiveTypes.Float64
	case outlay.FocusTime:
		return iceberg.PrimitiveTypes.Timestamp
	case outlay.FocusTextMap:
		return &iceberg.MapType{KeyID: tagKeyID, KeyType: iceberg.PrimitiveTypes.String, ValueID: tagValueID, ValueType: iceberg.PrimitiveTypes.String}
	}
	return iceberg.PrimitiveTypes.String
}

// partitioning is by identity of source and billing period (architecture.md §6).
func partitioning(s *iceberg.Schema) iceberg.PartitionSpec {
	field := func(name string, id int) iceberg.PartitionField {
		column, _ := s.FindFieldByName(name)
		return iceberg.PartitionField{SourceIDs: []int{column.ID}, FieldID: id, Transform: iceberg.IdentityTransform{}, Name: name}
	}
	return iceberg.NewPartitionSpec(field("x_SourceId", sourceFieldID), field("x_Period", periodFieldID))
}
