package auth

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"outlay"
)

// Middleware puts the Actor into the request's context. Unsafe requests from other origins are refused (reliability.md
// M33); with a bearer token the cookie is not looked at; a bad token is refused rather than treated as nobody.
func (a *Auth) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := a.origins.Check(r); err != nil {
			a.opts.Refuse(w, r, outlay.Errorf(outlay.CodeForbidden, "Open the page again on this server and repeat.", "this request came from another site: %w", err))
			return
		}
		w.Header().Add("Vary", "Authorization, Cookie")
		ctx, actor, err := a.identify(w, r)
		if err != nil {
			e := outlay.AsError(err)
			if e.Code == outlay.CodeInternal || e.Code == outlay.CodeUnavailable {
				a.opts.Log.ErrorContext(r.Context(), "a request could not be identified", "path", r.URL.Path, "err", err)
			}
			a.opts.Refuse(w, r, e)
			return
		}
		actor.Addr = a.clientAddr(r)
		next.ServeHTTP(w, r.WithContext(WithActor(ctx, actor)))
	})
}

func (a *Auth) identify(w http.ResponseWriter, r *http.Request) (context.Context, outlay.Actor, error) {
	ctx := r.Context()
	if token, ok := bearer(r); ok {
		actor, err := a.byToken(ctx, token)
		return ctx, actor, err
	}
	token := ""
	if c, err := r.Cookie(a.sessions.Cookie.Name); err == nil {
		token = c.Value
	}
	ctx, err := a.sessions.Load(ctx, token)
	if err != nil {
		return r.Context(), outlay.Actor{}, outlay.Errorf(outlay.CodeUnavailable, "Try again.", "the session could not be read: %w", err)
	}
	ctx = context.WithValue(ctx, writerKey{}, w)
	actor, err := a.bySession(ctx, w)
	return ctx, actor, err
}

// bearer is the token of the Authorization header, and whether the request claims to have one. Any Authorization
// header makes the cookie be ignored.
func bearer(r *http.Request) (token string, ok bool) {
	values := r.Header.Values("Authorization")
	if len(values) == 0 {
		return "", false
	}
	kind, token, _ := strings.Cut(values[0], " ")
	if len(values) > 1 || !strings.EqualFold(kind, "Bearer") {
		return "", true // not a token of ours: refused as unknown
	}
	return strings.TrimSpace(token), true
}

// refuseJSON answers in the shape of RFC 9457.
func refuseJSON(w http.ResponseWriter, _ *http.Request, e *outlay.Error) {
	status := Status(e.Code)
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="outlay"`)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// The client may be gone; nobody is left to tell.
	_ = json.NewEncoder(w).Encode(map[string]any{"title": http.StatusText(status), "status": status, "code": e.Code, "detail": e.Message, "fix": e.Fix})
}

// Status is the HTTP status of a code, for refusals.
func Status(c outlay.Code) int {
	switch c {
	case outlay.CodeInvalid:
		return http.StatusUnprocessableEntity
	case outlay.CodeNotFound:
		return http.StatusNotFound
	case outlay.CodeConflict:
		return http.StatusConflict
	case outlay.CodeUnauthenticated:
		return http.StatusUnauthorized
	case outlay.CodeForbidden:
		return http.StatusForbidden
	case outlay.CodeThrottled:
		return http.StatusTooManyRequests
	case outlay.CodeUnavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
