package secret

import (
	"context"
	"fmt"
	"log/slog"
)

// logHandler redacts messages and attributes on their way to another handler.
type logHandler struct{ next slog.Handler }

// NewLogHandler wraps next so that nothing that looks like a secret passes, whatever an error text quotes.
func NewLogHandler(next slog.Handler) slog.Handler { return logHandler{next} }

// Enabled asks next.
func (h logHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle passes a redacted copy of r on.
func (h logHandler) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, Redact(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(redactAttr(a))
		return true
	})
	return h.next.Handle(ctx, clean)
}

// WithAttrs redacts the attributes once.
func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = redactAttr(a)
	}
	return logHandler{h.next.WithAttrs(clean)}
}

// WithGroup opens a group in next.
func (h logHandler) WithGroup(name string) slog.Handler { return logHandler{h.next.WithGroup(name)} }

func redactAttr(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindString:
		return slog.String(a.Key, redactField(a.Key, v.String()))
	case slog.KindGroup:
		var inner []any
		for _, x := range v.Group() {
			inner = append(inner, redactAttr(x))
		}
		return slog.Group(a.Key, inner...)
	case slog.KindAny:
		if v.Any() == nil {
			return a
		}
		// Errors, structs and byte slices are written as text, so that a secret cannot hide in a field of theirs.
		if b, ok := v.Any().([]byte); ok {
			return slog.String(a.Key, redactField(a.Key, string(b)))
		}
		return slog.String(a.Key, redactField(a.Key, fmt.Sprintf("%+v", v.Any())))
	}
	return a
}

// redactField also hides the whole value of a field whose name says that it is secret.
func redactField(key, value string) string {
	const sign = "="
	if Redact(key+sign+"x") == key+sign+Redacted {
		return Redacted
	}
	return Redact(value)
}
