package plan

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"regain/internal/config"
	"regain/internal/publickey"
	"regain/provider/keys"
)

// readRequestSigning returns the request signing key and its certificate chain, leaf first.
func readRequestSigning(c config.CertificateConfig) (*ecdsa.PrivateKey, []*x509.Certificate, error) {
	var found config.Problems
	var key *ecdsa.PrivateKey
	text, err := c.Key.Read("request_signing.key")
	if found.Add(err) {
		if key, err = keys.ParsePEM([]byte(text)); err != nil {
			found.Add(fmt.Errorf("request_signing.key: %w (in %s): an EC key on P-256 is needed, such as `openssl ecparam -genkey -name prime256v1` makes", err, c.Key.Source()))
		}
	}
	chain, err := readCertificates(c.CertificateFile)
	found.Add(config.Keyed("request_signing.certificate_file", err))
	if key != nil && len(chain) > 0 && !key.PublicKey.Equal(chain[0].PublicKey) {
		found.Add(fmt.Errorf("request_signing.certificate_file: the first certificate of %s is not for the key of request_signing.key (in %s): put the certificate of that key first", c.CertificateFile, c.Key.Source()))
	}
	return key, chain, found.Err()
}

func readCertificates(path string) ([]*x509.Certificate, error) {
	if path == "" {
		return nil, errors.New("name a file of PEM certificates")
	}
	rest, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: name a file of PEM certificates that the service can read", err)
	}
	var found []*x509.Certificate
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		certificate, err := publickey.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: certificate %d: %w: replace it", path, len(found), err)
		}
		found = append(found, certificate)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s holds no PEM certificate: it has to begin with -----BEGIN CERTIFICATE-----", path)
	}
	return found, nil
}

// ReadClientRoots returns the CAs of client certificates, or nil.
func ReadClientRoots(m config.MutualTLSConfig) (*x509.CertPool, error) {
	return readPool("mutual_tls.roots_file", m.RootsFile)
}

// readPool returns the certificates of a file, or nil if none is named.
func readPool(key, path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // nil means not configured
	}
	certificates, err := readCertificates(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	pool := x509.NewCertPool()
	for _, c := range certificates {
		pool.AddCert(c)
	}
	return pool, nil
}
