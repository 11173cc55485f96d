package outlaytest

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
)

// Azurite's one account and its key, published by Microsoft and the same everywhere.
const (
	azuriteAccount = "devstoreaccount1"
	azuriteKey     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

// Azurite starts Microsoft's emulator of Blob for one test, over TLS, and gives it as seen by its account key and by a
// bearer token (test-infrastructure.md §3.2).
func Azurite(t testing.TB) (byKey, byToken BlobServer) {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	program := filepath.Join(filepath.Dir(file), "..", "node_modules", ".bin", "azurite-blob")
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("Azurite is missing (bash packaging/test-tools.sh): %v", err)
	}
	dir := t.TempDir()
	client := azuriteCertificate(t, dir)
	address, err := freeAddress()
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := strings.Cut(address, ":")
	cmd := exec.Command(program, "--blobHost", host, "--blobPort", port, "--inMemoryPersistence", "--oauth", "basic", "--cert", filepath.Join(dir, "cert.pem"), "--key", filepath.Join(dir, "key.pem"),
		"--skipApiVersionCheck", "--disableTelemetry", "--silent")
	cmd.Dir = dir
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting Azurite: %v", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // killed at the end of the test
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	if err := awaitAzurite(address, ended); err != nil {
		_ = cmd.Process.Kill()
		<-ended
		t.Fatalf("Azurite did not come up: %v\n%s", err, said.String())
	}
	url := "https://" + address + "/" + azuriteAccount + "/"
	return azuriteByKey(url, client), azuriteByToken(url, client)
}

// awaitAzurite waits longer than for others: it is a Node program, and the machine may be busy.
func awaitAzurite(address string, ended <-chan struct{}) error {
	var err error
	for range 6 {
		if err = awaitAddress(address, ended); err == nil {
			return nil
		}
	}
	return err
}

// azuriteCertificate writes a certificate and its key into dir, and gives a client that trusts it.
func azuriteCertificate(t testing.TB, dir string) *http.Client {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	key, err := x509.MarshalPKCS8PrivateKey(s.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: s.Certificate().Raw}, "key.pem": {Type: "PRIVATE KEY", Bytes: key}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	client := s.Client()
	client.Timeout = 20 * time.Second
	return client
}

// BlobOptions are those of a client that does not repeat calls.
func BlobOptions(client *http.Client) *azblob.ClientOptions {
	return &azblob.ClientOptions{ClientOptions: policy.ClientOptions{Transport: client, Retry: policy.RetryOptions{MaxRetries: -1}}}
}

func azuriteByKey(url string, client *http.Client) BlobServer {
	with := func(key string) func() (*azblob.Client, error) {
		return func() (*azblob.Client, error) {
			cred, err := azblob.NewSharedKeyCredential(azuriteAccount, key)
			if err != nil {
				return nil, err
			}
			return azblob.NewClientWithSharedKeyCredential(url, cred, BlobOptions(client))
		}
	}
	return BlobServer{URL: url, New: with(azuriteKey), Refused: map[string]func() (*azblob.Client, error){"wrong key": with(base64.StdEncoding.EncodeToString([]byte("nonsense")))}}
}

func azuriteByToken(url string, client *http.Client) BlobServer {
	with := func(audience string, until time.Duration) func() (*azblob.Client, error) {
		return func() (*azblob.Client, error) {
			return azblob.NewClient(url, azuriteToken{audience, until}, BlobOptions(client))
		}
	}
	const storage = "https://storage.azure.com"
	return BlobServer{URL: url, New: with(storage, time.Hour), Refused: map[string]func() (*azblob.Client, error){
		"audience": with("https://management.azure.com", time.Hour), "expired": with(storage, -time.Minute),
		"anonymous": func() (*azblob.Client, error) { return azblob.NewClientWithNoCredential(url, BlobOptions(client)) },
	}}
}

// azuriteToken satisfies Azurite: it reads the claims and does not check the signature.
type azuriteToken struct {
	audience string
	until    time.Duration
}

// GetToken makes a token that looks as one of Entra's.
func (a azuriteToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	part := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			panic(err) // maps of texts and numbers always marshal
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	begin, end := time.Now().Add(-2*time.Hour), time.Now().Add(a.until)
	jwt := part(map[string]any{"alg": "RS256", "typ": "JWT"}) + "." + part(map[string]any{
		"aud": a.audience, "iat": begin.Unix(), "nbf": begin.Unix(), "exp": end.Unix(), "iss": "https://sts.windows.net/ab1f708d-50f6-404c-a006-d71b2ac7a606/",
	}) + ".c2ln"
	return azcore.AccessToken{Token: jwt, ExpiresOn: time.Now().Add(time.Hour)}, nil
}
