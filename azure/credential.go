package azure

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"outlay"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)

func isGUID(s string) bool { return guid.MatchString(s) }

// maxToken bounds what is read of a token file.
const maxToken = 1 << 16

// credential is kept between calls, so that not each asks for a token anew; a rotated credential has another
// fingerprint and thereby its own.
func (p *Provider) credential(a *outlay.CloudAccount) (azcore.TokenCredential, error) {
	mark := fingerprint(a)
	p.mu.Lock()
	kept, ok := p.creds[mark]
	p.mu.Unlock()
	if ok {
		return kept, nil
	}
	cred, err := p.build(a)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.creds[mark] = cred
	p.mu.Unlock()
	return cred, nil
}

func fingerprint(a *outlay.CloudAccount) string {
	b, err := json.Marshal([]any{a.OrgID, a.ID, a.Credential})
	if err != nil {
		panic(err) // plain data always marshals
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// build makes the credential of one kind. Each is named explicitly: a chain of defaults would silently take whatever
// the machine offers (clouds.md §3.11).
func (p *Provider) build(a *outlay.CloudAccount) (azcore.TokenCredential, error) {
	v := a.Credential.Values
	for _, field := range []string{fieldTenant, fieldClient} {
		if a.Credential.Kind == kindManaged && (field == fieldClient && v[field] == "") {
			continue
		}
		if !isGUID(v[field]) {
			return nil, outlay.Errorf(outlay.CodeInvalid, "Enter an ID of 32 hexadecimal digits with dashes.", "%q is not an ID of Entra", clip(v[field], 60)).InField(field)
		}
	}
	opts := p.clientOptions()
	var cred azcore.TokenCredential
	var err error
	switch a.Credential.Kind {
	case kindFederated:
		return p.federated(a)
	case kindManaged:
		cred, err = p.managed(v[fieldClient])
	case kindCertificate:
		return p.certificate(a)
	case kindSecret:
		var secret outlay.Secret
		if secret, err = p.open(a, fieldSecret); err != nil {
			return nil, err
		}
		cred, err = azidentity.NewClientSecretCredential(v[fieldTenant], v[fieldClient], secret.Reveal(), &azidentity.ClientSecretCredentialOptions{
			ClientOptions: opts, DisableInstanceDiscovery: p.opts.Endpoint != "",
		})
	default:
		return nil, outlay.Errorf(outlay.CodeInvalid, "Use the kind federated, managed, certificate or secret.", "%q is not a kind of credential for Azure", clip(a.Credential.Kind, 40))
	}
	return built(cred, err)
}

// built keeps the SDK's text, which may quote what it was given, out of the message.
func built(cred azcore.TokenCredential, err error) (azcore.TokenCredential, error) {
	if e, ok := errors.AsType[*outlay.Error](err); ok {
		return nil, e
	}
	if err != nil {
		return nil, outlay.Errorf(outlay.CodeInvalid, "Rotate the credential of this account.", "the credential cannot be used")
	}
	return cred, nil
}

func (p *Provider) open(a *outlay.CloudAccount, field string) (outlay.Secret, error) {
	if p.opts.Secrets == nil {
		return outlay.Secret{}, outlay.Errorf(outlay.CodeInternal, "", "no keyset to open the credential with")
	}
	return p.opts.Secrets.Open(a, field)
}

// federated signs in with a token that the platform keeps in a file under TokenDir: nothing secret is stored.
func (p *Provider) federated(a *outlay.CloudAccount) (azcore.TokenCredential, error) {
	v := a.Credential.Values
	name := v[fieldTokenFile]
	if p.opts.TokenDir == "" {
		return nil, outlay.Errorf(outlay.CodeInvalid, "Ask who runs this server to set a folder for token files, or use another kind of credential.", "this server reads no token files").InField(fieldTokenFile)
	}
	if !filepath.IsLocal(name) {
		return nil, outlay.Errorf(outlay.CodeInvalid, "Enter the file's name within the server's folder for token files.", "%q is not a file of that folder", clip(name, 80)).InField(fieldTokenFile)
	}
	assertion := func(context.Context) (string, error) { return readToken(p.opts.TokenDir, name) }
	cred, err := azidentity.NewClientAssertionCredential(v[fieldTenant], v[fieldClient], assertion, &azidentity.ClientAssertionCredentialOptions{
		ClientOptions: p.clientOptions(), DisableInstanceDiscovery: p.opts.Endpoint != "",
	})
	return built(cred, err)
}

// readToken reads a token file without ever leaving dir, be it through a link.
func readToken(dir, name string) (string, error) {
	f, err := os.OpenInRoot(dir, name)
	if err == nil {
		defer func() { _ = f.Close() }()
		var b []byte
		if b, err = io.ReadAll(io.LimitReader(f, maxToken)); err == nil {
			return strings.TrimSpace(string(b)), nil
		}
	}
	return "", noTokenFile()
}

// textNoToken is by what the failure is known again that the SDK makes of noTokenFile: it keeps the text alone.
const textNoToken = "the token file cannot be read"

func noTokenFile() *outlay.Error {
	return &outlay.Error{
		Code: outlay.CodeUnavailable, Outcome: outlay.NeverSent, Message: "signing in to Azure: " + textNoToken, Field: fieldTokenFile,
		Fix: "Check that the platform puts the token into the server's folder for token files.",
	}
}

// managed is this server's own identity, where the operator allows accounts to use it.
func (p *Provider) managed(clientID string) (azcore.TokenCredential, error) {
	if !p.opts.ManagedIdentity {
		return nil, outlay.Errorf(outlay.CodeInvalid, "Use another kind of credential, or ask who runs this server to allow it.", "this server does not let accounts use its managed identity")
	}
	opts := azidentity.ManagedIdentityCredentialOptions{} // the machine's own token service, not Azure's addresses
	if clientID != "" {
		opts.ID = azidentity.ClientID(clientID)
	}
	return azidentity.NewManagedIdentityCredential(&opts)
}

// certificate signs in with a certificate and its key, both in one PEM text.
func (p *Provider) certificate(a *outlay.CloudAccount) (azcore.TokenCredential, error) {
	v := a.Credential.Values
	pem, err := p.open(a, fieldCertificate)
	if err != nil {
		return nil, err
	}
	certs, key, err := azidentity.ParseCertificates([]byte(pem.Reveal()), nil)
	if err != nil {
		return nil, outlay.Errorf(outlay.CodeInvalid, "Paste the certificate and its private key, both in PEM.", "the certificate cannot be read").InField(fieldCertificate)
	}
	cred, err := azidentity.NewClientCertificateCredential(v[fieldTenant], v[fieldClient], certs, key, &azidentity.ClientCertificateCredentialOptions{
		ClientOptions: p.clientOptions(), DisableInstanceDiscovery: p.opts.Endpoint != "",
	})
	return built(cred, err)
}
