package duckdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"

	engine "github.com/duckdb/duckdb-go/v2"
)

// registerRounding adds the two functions that the rare long figures need: outlay_round(text) and
// outlay_rounds(text), both from roundCost.
func registerRounding(ctx context.Context, db *sql.DB) error {
	varchar, err := engine.NewTypeInfo(engine.TYPE_VARCHAR)
	if err != nil {
		return fmt.Errorf("type of texts: %w", err)
	}
	boolean, err := engine.NewTypeInfo(engine.TYPE_BOOLEAN)
	if err != nil {
		return fmt.Errorf("type of truths: %w", err)
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connecting to the engine: %w", err)
	}
	defer func() { _ = conn.Close() }()
	round := textFunc{in: varchar, out: varchar, call: func(s string) any { plain, _ := roundCost(s); return plain }}
	if err := engine.RegisterScalarUDF(conn, "outlay_round", round); err != nil {
		return fmt.Errorf("adding outlay_round: %w", err)
	}
	rounds := textFunc{in: varchar, out: boolean, call: func(s string) any { _, changed := roundCost(s); return changed }}
	if err := engine.RegisterScalarUDF(conn, "outlay_rounds", rounds); err != nil {
		return fmt.Errorf("adding outlay_rounds: %w", err)
	}
	return nil
}

// textFunc is a function of one text.
type textFunc struct {
	in, out engine.TypeInfo
	call    func(string) any
}

func (f textFunc) Config() engine.ScalarFuncConfig {
	return engine.ScalarFuncConfig{InputTypeInfos: []engine.TypeInfo{f.in}, ResultTypeInfo: f.out}
}

func (f textFunc) Executor() engine.ScalarFuncExecutor {
	return engine.ScalarFuncExecutor{RowExecutor: func(values []driver.Value) (any, error) {
		s, ok := values[0].(string)
		if !ok {
			return nil, fmt.Errorf("not a text: %T", values[0])
		}
		return f.call(s), nil
	}}
}
