package target

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/internal/config"
	"regain/internal/node"
)

// fapi are two clients for each variant of the FAPI 2.0 plans. The second has a query in its redirect URI, as the plans
// want it.
func (c *configuration) fapi() []node.ClientConfig {
	first, second := c.certificate("first"), c.certificate("second")
	c.values["mtls"], c.values["mtls2"] = first.values(), second.values()
	var list []node.ClientConfig
	for _, variant := range []struct {
		name   string
		change func(*node.ClientConfig)
	}{
		{"fapi_dpop", func(client *node.ClientConfig) { client.DPoPBound = true }},
		{"fapi_mtls", func(client *node.ClientConfig) { client.MTLSBound = true }},
		{"fapi_mtls_only", func(client *node.ClientConfig) {
			client.MTLSBound, client.AuthMethod = true, "self_signed_tls_client_auth"
		}},
		{"fapi_signing", func(client *node.ClientConfig) {
			client.DPoPBound, client.Profile, client.RequestAlg, client.RequireJAR = true, "fapi2-message-signing", "PS256", true
		}},
	} {
		for suffix, shown := range map[string]certified{"": first, "2": second} {
			client := c.fapiClient(variant.name+suffix, shown)
			if suffix == "2" {
				client.RedirectURIs = []string{c.callback() + "?dummy1=lorem&dummy2=ipsum"}
			}
			variant.change(&client)
			list = append(list, client)
		}
	}
	return list
}

// fapiClient is a client whose keys the suite gets to know.
func (c *configuration) fapiClient(name string, shown certified) node.ClientConfig {
	const bits = 2048
	key, err := rsa.GenerateKey(rand.Reader, bits) // with an EC key the suite skips what it tries with RS256
	c.note(err)
	private := jose.JSONWebKey{Key: key, KeyID: name, Use: "sig", Algorithm: "PS256"}
	tls := jose.JSONWebKey{Key: shown.key.Public(), KeyID: name + "-tls", Use: "sig", Certificates: []*x509.Certificate{shown.certificate}}
	public, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{private.Public(), tls}})
	c.note(err)
	c.values[name] = map[string]any{
		"client_id": name, "scope": "openid email offline_access", "dpop_signing_alg": "ES256", "jwks": jose.JSONWebKeySet{Keys: []jose.JSONWebKey{private}},
	}
	return node.ClientConfig{
		ID: name, Name: "Conformance suite", Profile: "fapi2-security", AuthMethod: "private_key_jwt", Secret: config.Secret{},
		JWKSFile: c.write(name+".jwks.json", public), RedirectURIs: []string{c.callback()}, Scope: []string{"openid", "email", "offline_access"},
		AskAccount: true,
	}
}

// certified is a key with a certificate of its own.
type certified struct {
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
}

func (c *configuration) certificate(name string) certified {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	c.note(err)
	now := time.Now()
	t := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(30 * 24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	c.note(err)
	certificate, err := x509.ParseCertificate(der)
	c.note(err)
	return certified{key: key, certificate: certificate}
}

// values are the certificate and its key as the suite reads them.
func (s certified) values() map[string]any {
	der, err := x509.MarshalPKCS8PrivateKey(s.key)
	if err != nil {
		return nil
	}
	return map[string]any{
		"cert": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.certificate.Raw})),
		"key":  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	}
}
