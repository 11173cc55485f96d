package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"outlay"
	"outlay/api"
	"outlay/auth"
	"outlay/control"
	"outlay/detect"
	"outlay/duckdb"
	"outlay/ingest"
	"outlay/lake"
	"outlay/operation"
	"outlay/provision"
	"outlay/secret"
	"outlay/sqldb"
	"outlay/web"
)

const keysetFile = "keyset.json"

// parseMemory is what the engine of the parser child may use; the process as a whole took up to 0.4 GiB more (docs/bench.md).
const parseMemory = 1 << 30

// server is the product, put together.
type server struct {
	store   *sqldb.Store
	box     *secret.Box
	auth    *auth.Auth
	control *control.Control
	worker  *operation.Worker
	handler http.Handler
	closers []func() error
	// refresher prepares answers after publishes
	refresher *refresher
}

func (s *server) close() {
	for i := len(s.closers) - 1; i >= 0; i-- {
		_ = s.closers[i]()
	}
}

// build puts the rooms together. It starts nothing but the database connections.
func build(ctx context.Context, cfg config, log *slog.Logger) (_ *server, err error) {
	s := &server{}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.store, err = sqldb.Open(ctx, cfg.database, log); err != nil {
		return nil, err
	}
	s.closers = append(s.closers, s.store.Close)
	if err = s.alone(ctx, cfg.data); err != nil {
		return nil, err
	}
	if err = sweepUploads(cfg.data, time.Now()); err != nil {
		return nil, err
	}
	keyset := filepath.Join(cfg.data, keysetFile)
	if err = secret.Lost(ctx, s.store.Install(), keyset); err != nil {
		return nil, err
	}
	if s.box, err = secret.Open(keyset); err != nil {
		return nil, err
	}
	if err = s.box.Check(ctx, s.store.Install()); err != nil {
		return nil, err
	}
	clock := outlay.SystemClock{}
	providers, err := s.providers(ctx, cfg.clouds, clock)
	if err != nil {
		return nil, err
	}
	s.worker = operation.New(operation.Options{Store: s.store, Clock: clock, Log: log, Owner: owner()})
	detector := detect.New(detect.Options{Store: s.store, Providers: providers, Clock: clock, Log: log, Every: cfg.lookEvery, Wake: s.worker.Wake})
	detector.Register(s.worker)
	costs, loader, err := s.charges(ctx, cfg, chargeParts{providers, clock, log, detector})
	if err != nil {
		return nil, err
	}
	loader.Register(s.worker)
	provision.New(provision.Options{Store: s.store, Providers: providers, Clock: clock, Log: log, LookEvery: cfg.lookEvery, RemoveHistory: loader.RemoveHistory}).Register(s.worker)
	if err = s.signIn(cfg, clock, log); err != nil {
		return nil, err
	}
	s.control = control.New(control.Deps{
		Store: s.store, Providers: slices.Collect(maps.Values(providers)), Costs: costs, Sealer: s.box, Importer: importer{loader}, Passwords: s.auth, Clock: clock, Log: log,
		LookEvery: cfg.lookEvery, Diagnosis: control.Diagnosis{Version: version, Recent: cfg.recent}, Wake: s.worker.Wake,
	})
	if err = s.surfaces(cfg, clock, log); err != nil {
		return nil, err
	}
	if err = loader.EnsureScheduled(ctx); err != nil {
		return nil, err
	}
	return s, detector.EnsureScheduled(ctx)
}

// owner names this process in leases.
func owner() string {
	host, err := os.Hostname()
	if err != nil {
		host = "server"
	}
	return fmt.Sprintf("%s-%d-%s", host, os.Getpid(), rand.Text()[:6])
}

// once reads a random value of the installation, and makes it at the first start.
func (s *server) once(ctx context.Context, key string) (string, error) {
	v, err := s.store.Install().Meta(ctx, key)
	if err != nil || v != "" {
		return v, err
	}
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	v = strings.ToLower(base64.RawURLEncoding.EncodeToString(b))
	if key == "installation-id" {
		v = strings.ToLower(rand.Text())
	}
	return v, s.store.Install().PutMeta(ctx, key, v)
}

type chargeParts struct {
	providers map[outlay.ProviderName]outlay.Provider
	clock     outlay.Clock
	log       *slog.Logger
	detector  *detect.Detector
}

// charges opens the lake, the engine and the loader.
func (s *server) charges(ctx context.Context, cfg config, p chargeParts) (*duckdb.Costs, *ingest.Ingest, error) {
	db, dialect, err := s.store.Catalog(ctx)
	if err != nil {
		return nil, nil, err
	}
	tables, err := lake.Open(ctx, lake.Options{DB: db, Dialect: dialect, Warehouse: filepath.Join(cfg.data, "lake"), Clock: p.clock, Log: p.log})
	if err != nil {
		return nil, nil, err
	}
	costs, err := duckdb.Open(duckdb.Options{Heads: s.heads, CacheDir: filepath.Join(cfg.data, "cache"), Clock: p.clock})
	if err != nil {
		return nil, nil, err
	}
	s.closers = append(s.closers, costs.Close)
	s.refresher = newRefresher(p.detector, costs, p.log)
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	loader := ingest.New(ingest.Options{
		Store: s.store, Providers: p.providers, Lake: tables, Parser: duckdb.Child{Command: []string{self, "parse"}, Log: p.log}, Staging: filepath.Join(cfg.data, "staging"),
		Clock: p.clock, Log: p.log, Published: s.refresher.published, MemoryLimit: parseMemory,
	})
	return costs, loader, nil
}

// heads gives the engine what is published.
func (s *server) heads(ctx context.Context, orgID string) (heads []outlay.Head, generation int64, err error) {
	err = s.store.ReadOrg(ctx, orgID, func(tx outlay.Tx) (err error) {
		if generation, err = tx.HeadsVersion(ctx); err != nil {
			return err
		}
		if heads, err = tx.Heads(ctx); err != nil {
			return err
		}
		sources, err := tx.Sources(ctx)
		heads = behindLiving(heads, sources)
		return err
	})
	return heads, generation, err
}

// behindLiving marks the months of sources that deliver no more. Their charges stay, but where a living source delivers
// the same month it has to win: otherwise the current month would stand still after billing was deprovisioned and
// provisioned again (docs/decisions/0005).
func behindLiving(heads []outlay.Head, sources []outlay.Source) []outlay.Head {
	removed := map[string]bool{}
	for _, s := range sources {
		removed[s.ID] = s.Desired == outlay.Absent
	}
	for i := range heads {
		heads[i].Removed = removed[heads[i].SourceID]
	}
	return heads
}

// signIn makes what knows who is asking.
func (s *server) signIn(cfg config, clock outlay.Clock, log *slog.Logger) error {
	secure := strings.HasPrefix(cfg.publicURL, "https://")
	var proxies []netip.Prefix
	for _, text := range cfg.trustedProxies {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return outlay.Errorf(outlay.CodeInvalid, "Write a network as 10.0.0.0/8.", "--trusted-proxy %q is not a network: %w", text, err)
		}
		proxies = append(proxies, p)
	}
	s.auth = auth.New(auth.Options{Store: s.store, Clock: clock, Log: log, Secure: secure, TrustedProxies: proxies})
	return nil
}

// surfaces makes sign-in, pages and API into one handler.
func (s *server) surfaces(cfg config, clock outlay.Clock, log *slog.Logger) error {
	secure := strings.HasPrefix(cfg.publicURL, "https://")
	note := ""
	if cfg.demo != nil {
		note = cfg.demo.note
	}
	pages, err := web.New(web.Options{Control: s.control, Auth: s.auth, Clock: clock, Log: log, Version: version, DemoNote: note, Secure: secure, Uploads: cfg.data})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/api/", s.auth.Middleware(api.New(api.Options{Control: s.control, Auth: s.auth, Log: log, Version: version, Uploads: cfg.data})))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("/", pages)
	s.handler = mux
	return nil
}

// ready answers whether the database can be used. It calls no cloud.
func (s *server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if _, err := s.store.Install().Meta(ctx, "installation-id"); err != nil {
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ready\n"))
}

// importer lets control load files without knowing the loader.
type importer struct{ loader *ingest.Ingest }

func (i importer) ImportFiles(ctx context.Context, r control.ImportRequest) (control.ImportResult, error) {
	req := ingest.ImportRequest{OrgID: r.OrgID, UserID: r.UserID, Name: r.Name, Formats: r.Formats}
	focus := duckdb.FocusMapping()
	if r.Format != "" && r.Format != control.FormatFocus { // that one alone
		req.Format, focus = r.Format, outlay.Mapping{}
	}
	for _, f := range r.Files {
		req.Files = append(req.Files, ingest.ImportFile{Name: f.Name, Path: f.Path})
	}
	res, err := i.loader.ImportFiles(ctx, req, focus)
	if err != nil {
		return control.ImportResult{}, err
	}
	return importResult(res), nil
}

func (i importer) RemoveHistory(ctx context.Context, orgID, sourceID string) error {
	return i.loader.RemoveHistory(ctx, orgID, sourceID)
}

func importResult(r ingest.Import) control.ImportResult {
	out := control.ImportResult{SourceID: r.SourceID, Name: r.Name, Format: r.Format, Already: r.Already, Rows: r.Rows, Unknown: r.Unknown, Missing: r.Missing, Notes: r.Notes}
	for _, p := range r.Periods {
		out.Periods = append(out.Periods, control.ImportPeriod{Period: p.Period, Rows: p.Rows, Sums: p.Sums})
	}
	return out
}
