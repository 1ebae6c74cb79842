package testenv

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/go-jose/go-jose/v4"
	"go.yaml.in/yaml/v3"

	"regain/conformance/mongoserver"
	"regain/conformance/people"
	"regain/conformance/proofing"
	"regain/conformance/rp"
	"regain/internal/config"
	"regain/provider/keys"
)

// Names in the test environment's configuration.
const (
	ClientIdP     = "main-idp"
	ClientProgram = "program"
	ClientByID    = "program-by-id"
)

const (
	caFile            = "ca.crt"
	serverCertificate = "server.crt"
	serverKey         = "server.pem"
)

// WithoutHSTS changes Regain's configuration (Options.Change) so that a browser may come by http again: a person's own browser
// remembers the name for years, and the next demonstration may be one without TLS.
func WithoutHSTS(cfg *config.Config) { cfg.HSTS = 0 }

// object is a YAML mapping.
type object = map[string]any

// configure writes Regain's configuration, and everything that it names, into the test environment's directory, and returns the
// path that `regain serve --config` would take.
func (w *Env) configure(o Options) (string, error) {
	f := &files{directory: w.directory}
	storage, err := w.storage(o, f)
	if err != nil {
		return "", err
	}
	clients := []object{
		{"id": ClientIdP, "name": "Example Organisation", "jwks_file": f.write("main-idp.jwks.json", w.IdPs.JWKS()), "redirect_uris": []string{w.IdPs.RedirectURI()}},
	}
	clients = append(clients, f.program(ClientProgram, "name", w.RP), f.program(ClientByID, "id", w.ByID))
	host := func(address string) string {
		u, err := url.Parse(address)
		f.note(err)
		return u.Host
	}
	anchors := f.write("proofing.crt", encodePEM("CERTIFICATE", w.Issuer.Anchor().Raw))
	doc := object{
		"issuer": w.Regain, "development": true, "organisation_id": "Example Organisation", "storage": storage,
		"secrets": object{
			"encryption_keys": object{"file": f.secret("encryption.key")}, "token_secret": object{"file": f.secret("token.key")},
			"pass_key": object{"file": f.secret("pass.key")}, "signing_key": object{"file": f.signingKey("signing.pem", o.Clients != "")},
		},
		"request_signing": object{"key": object{"file": f.requestKey(w.PKI)}, "certificate_file": f.write("request.crt", encodePEM("CERTIFICATE", w.PKI.Request.Raw))},
		"wallets":         []object{{"name": "default", "authorization_endpoint": w.Wallet + "/authorize", "digital_credentials": []string{"signed", "unsigned"}}},
		"directory":       object{"file": f.yaml("directory.yaml", accounts(o.Namesakes))},
		"audit":           object{"file": w.AuditLog(), "key": object{"file": f.secret("audit.key")}},
		"trust": []object{{
			"types": []string{proofing.DefaultType, proofing.ReceiptType}, "anchors_file": anchors, "issuers": []string{w.Proofing},
		}, {
			// Its documents' signers are under the one, its status lists' under the other.
			"types": []string{LicenceType}, "anchors_file": f.write("iaca.crt", append(encodePEM("CERTIFICATE", w.Issuer.IACA().Raw), encodePEM("CERTIFICATE", w.Issuer.Anchor().Raw)...)),
		}, {
			// JWT VCs are signed by DID; their status lists are under the anchor like all others.
			"types": []string{proofing.IdentityType, proofing.ReceiptVCType}, "dids": []string{w.Issuer.DID()}, "anchors_file": anchors,
		}},
		"status_list": object{"min_ttl": "1s", "max_ttl": "1h"},
		"fetch": object{
			"allow_http_hosts": []string{host(w.Proofing)}, "allow_private_hosts": []string{host(w.Proofing)}, "ca_file": f.write(caFile, w.PKI.CertificatePEM()),
		},
		"face_check":     object{"receipt_types": []string{proofing.ReceiptType}},
		"proofing":       []object{{"name": "northlight", "display_name": "Northlight Identity", "start_url": w.Issuer.StartURL()}},
		"exclude_groups": []string{"executives"},
		"limits":         limits(),
		"profiles":       profiles(),
		"clients":        clients,
	}
	if o.TLS && o.Elsewhere != nil { // in this process the server is given its certificate
		doc["tls"] = f.certificate(w.PKI)
	}
	if o.several() {
		doc["trusted_proxies"] = []string{w.inside}
		if o.TLS {
			f.certificate(w.PKI) // which the front has
		}
	}
	path := f.yaml("regain.yaml", doc)
	if f.err != nil {
		return "", fmt.Errorf("configure Regain: %w", f.err)
	}
	if o.Configuration != "" {
		if err := bring(path, o.Configuration); err != nil {
			return "", fmt.Errorf("configure Regain: %w", err)
		}
	}
	return path, nil
}

// program is the entry of a relying party that a program plays.
func (f *files) program(id, subject string, party *rp.RP) object {
	keys, err := party.JWKS()
	f.note(err)
	return object{
		"id": id, "name": "Example Organisation", "jwks_file": f.write(id+".jwks.json", keys), "redirect_uris": []string{ProgramRedirect}, "subject": subject,
		"require_pushed_authorization_requests": false, // programs try both ways
	}
}

// storage is the entry of the store. It makes the database of a run on MongoDB.
func (w *Env) storage(o Options, f *files) (entry object, err error) {
	if o.several() {
		if w.inside, err = o.loopback(); err != nil {
			return nil, err
		}
	}
	switch o.Store {
	case "file":
		return object{"backend": o.Store, "path": filepath.Join(w.directory, "regain.db")}, nil
	case "mongo":
		if w.database, err = mongoserver.Open(o.MongoURI); err != nil {
			return nil, err
		}
		return object{"backend": o.Store, "mongo": object{"uri": object{"file": f.write("mongo.uri", []byte(w.database.URI))}, "database": w.database.Name}}, nil
	}
	return object{"backend": "memory"}, nil
}

// LicenceType is the doctype of the driving licences that the proofing provider issues beside its Verified IDs.
const LicenceType = "org.iso.18013.5.1.mDL"

// profiles are the three that the sample people meet.
func profiles() []object {
	binding := func(level string) []object {
		return []object{
			{"attribute": "given_name", "claim": "given_name", "match": level},
			{"attribute": "family_name", "claim": "family_name", "match": level},
		}
	}
	profile := func(name, mode, level string, priority int, more object) object {
		p := object{
			"name": name, "mode": mode, "priority": priority, "groups": []string{name}, "cross_device": object{"allow": true}, "proofing": "northlight",
			"credential": object{"types": []string{proofing.DefaultType}, "bindings": binding(level)},
			"face_check": object{"threshold": 70}, "pass": object{"lifetime_minutes": 60, "length": 12},
		}
		for key, value := range more {
			p[key] = value
		}
		return p
	}
	return []object{
		profile("pilot", "evaluation", "exact", 10, nil),
		profile("contractors", "production", "relaxed", 20, nil),
		profile("employees", "production", "exact", 30, nil),
	}
}

// limits are wide: a demonstration is walked through again and again from one address.
func limits() []object {
	return []object{
		{"name": "account-network", "per": "account+network", "max": 100_000, "window": "1m"},
		{"name": "network", "per": "network", "max": 1_000_000, "window": "1m"},
	}
}

// Namesake is the name of one of Options.Namesakes.
func Namesake(i int) string { return fmt.Sprintf("namesake-%d@example.org", i) }

// namesakeID is the directory's id of one of them.
func namesakeID(i int) string { return fmt.Sprintf("5a3e61c0-0000-4000-8000-%012d", i) }

func accounts(namesakes int) object {
	var list []object
	for i := range namesakes {
		p := people.Samples()[0]
		list = append(list, object{
			"name": Namesake(i), "id": namesakeID(i), "groups": p.Groups,
			"attributes": object{"given_name": p.DirectoryGivenName, "family_name": p.DirectoryFamilyName},
		})
	}
	for _, p := range people.Samples() {
		list = append(list, object{
			"name": p.Account, "id": p.AccountID, "groups": p.Groups,
			"attributes": object{"given_name": p.DirectoryGivenName, "family_name": p.DirectoryFamilyName},
		})
	}
	return object{"accounts": list, "groups": []string{"leavers"}} // of whom there are none
}

// files writes files and remembers the first thing that went wrong.
type files struct {
	directory string
	err       error
}

func (f *files) note(err error) {
	if f.err == nil {
		f.err = err
	}
}

func (f *files) write(name string, data []byte) string {
	path := filepath.Join(f.directory, name)
	f.note(os.WriteFile(path, data, 0o600))
	return path
}

func (f *files) yaml(name string, value any) string {
	data, err := yaml.Marshal(value)
	f.note(err)
	return f.write(name, data)
}

func (f *files) secret(name string) string {
	var key [32]byte
	_, err := rand.Read(key[:])
	f.note(err)
	return f.write(name, []byte(base64.RawURLEncoding.EncodeToString(key[:])))
}

// signingKey writes the ring: an EC key, and for clients that somebody brings a key for each other algorithm too.
func (f *files) signingKey(name string, guests bool) string {
	algorithms := []jose.SignatureAlgorithm{jose.ES256}
	if guests {
		algorithms = append(algorithms, jose.RS256, jose.EdDSA)
	}
	ring, err := keys.GenerateRing(rand.Reader, algorithms...)
	f.note(err)
	text, err := keys.EncodeRing(ring)
	f.note(err)
	return f.write(name, text)
}

func (f *files) requestKey(p *PKI) string {
	der, err := x509.MarshalPKCS8PrivateKey(p.RequestKey)
	f.note(err)
	return f.write("request.pem", encodePEM("PRIVATE KEY", der))
}

// certificate is the entry of the server's certificate and key.
func (f *files) certificate(p *PKI) object {
	der, err := x509.MarshalPKCS8PrivateKey(p.server.PrivateKey)
	f.note(err)
	return object{
		"certificate_file": f.write(serverCertificate, encodePEM("CERTIFICATE", p.server.Leaf.Raw)),
		"key_file":         f.write(serverKey, encodePEM("PRIVATE KEY", der)),
	}
}
