package mtls

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/internal/publickey"
)

// Identity is the certificate subject that a client registered for tls_client_auth (RFC 8705 §2.1.2). Exactly one
// field is set.
type Identity struct {
	SubjectDN string // RFC 4514, as `openssl x509 -subject -nameopt RFC2253` prints it
	DNS       string
	URI       string
	IP        string
	Email     string
}

// Validate reports whether exactly one name is set.
func (i Identity) Validate() error {
	set := 0
	for _, name := range []string{i.SubjectDN, i.DNS, i.URI, i.IP, i.Email} {
		if name != "" {
			set++
		}
	}
	if set != 1 {
		return fmt.Errorf("tls_client_auth needs exactly one of tls_client_auth_subject_dn, _san_dns, _san_uri, _san_ip and _san_email, not %d", set)
	}
	if i.IP != "" {
		if _, err := netip.ParseAddr(i.IP); err != nil {
			return fmt.Errorf("tls_client_auth_san_ip %q is no address", i.IP)
		}
	}
	return nil
}

// Authenticate checks a certificate chain for tls_client_auth (RFC 8705 §2.1): it is issued under a configured root,
// allows client authentication, and contains the registered identity.
func (s *Source) Authenticate(chain []*x509.Certificate, i Identity, now time.Time) error {
	if len(chain) == 0 {
		return errors.New("no client certificate was shown")
	}
	roots := s.roots.Load()
	if roots == nil {
		return errors.New("no roots are configured for client certificates")
	}
	above := x509.NewCertPool()
	for _, c := range chain[1:] {
		above.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: above, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil {
		return fmt.Errorf("client certificate: %w", err)
	}
	if !i.names(chain[0]) {
		return errors.New("the client certificate names another subject")
	}
	return nil
}

func (i Identity) names(c *x509.Certificate) bool {
	switch {
	case i.SubjectDN != "":
		return c.Subject.ToRDNSequence().String() == i.SubjectDN
	case i.DNS != "":
		return slices.Contains(c.DNSNames, i.DNS)
	case i.Email != "":
		return slices.Contains(c.EmailAddresses, i.Email)
	case i.URI != "":
		return slices.ContainsFunc(c.URIs, func(u *url.URL) bool { return u.String() == i.URI })
	case i.IP != "":
		wanted, err := netip.ParseAddr(i.IP)
		return err == nil && slices.ContainsFunc(c.IPAddresses, func(ip net.IP) bool {
			named, _ := netip.AddrFromSlice(ip)
			return named.Unmap() == wanted.Unmap()
		})
	}
	return false
}

// AuthenticateSelfSigned checks a certificate for self_signed_tls_client_auth (RFC 8705 §2.2): it is in the client's
// JWK Set, as x5c or, for a key without x5c, by its public key.
func AuthenticateSelfSigned(chain []*x509.Certificate, keys []jose.JSONWebKey, now time.Time) error {
	if len(chain) == 0 {
		return errors.New("no client certificate was shown")
	}
	shown := chain[0]
	if now.Before(shown.NotBefore) || now.After(shown.NotAfter) {
		return errors.New("the client certificate is not valid now")
	}
	for _, key := range keys {
		if len(key.Certificates) > 0 {
			if key.Certificates[0].Equal(shown) {
				return nil
			}
			continue
		}
		if publickey.Equal(key.Key, shown.PublicKey) {
			return nil
		}
	}
	return errors.New("the client certificate is in no key of the client's jwks")
}
