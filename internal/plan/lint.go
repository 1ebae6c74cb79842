package plan

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"regain/internal/config"
	"regain/presentation/identity"
	"regain/recovery"
)

// expiresSoon is how long before its expiry a certificate is warned about: enough time to get a new one.
const expiresSoon = 30 * 24 * time.Hour

// Warnings returns problems that do not stop the server but will make wallets or clients fail, now or soon. Wallets
// do not report such problems, so they are reported here. A mistake that can never work is an error of Read. accounts is
// the directory, nil if it cannot be opened.
func Warnings(c config.Config, now time.Time, accounts recovery.Directory) []string {
	var warnings []string
	add := func(format string, args ...any) { warnings = append(warnings, fmt.Sprintf(format, args...)) }
	for _, file := range certificateFiles(c) {
		for i, certificate := range readIgnoringErrors(file.path) {
			switch left := certificate.NotAfter.Sub(now); {
			case left <= 0:
				add("%s: certificate %d of %s expired at %s", file.key, i, filepath.Base(file.path), day(certificate.NotAfter))
			case left < expiresSoon:
				add("%s: certificate %d of %s expires at %s, in %d days; %s", file.key, i, filepath.Base(file.path), day(certificate.NotAfter), int(left.Hours()/24), file.cure)
			}
		}
	}
	issuer, err := url.Parse(c.Issuer)
	if err != nil {
		return warnings
	}
	if issuer.Scheme == "http" {
		add("issuer %s: wallets fetch requests from https addresses only; http works with those of the demonstration", c.Issuer)
	}
	if c.BehindUnknownProxy() {
		add("trusted_proxies: is empty and a proxy terminates TLS: all requests seem to come from the proxy's network, so limits by network are shared by all")
	}
	lintReadable(c, add)
	lintLifetimes(c, add)
	lintTLS(c, issuer.Hostname(), add)
	lintWallets(c, now, add)
	lintTrust(c, add)
	lintProfiles(c, add)
	lintLimits(c, add)
	lintDirectory(c, accounts, add)
	return warnings
}

// certificateFile is a file of certificates that a key of the configuration names.
type certificateFile struct{ key, path, cure string }

func certificateFiles(c config.Config) []certificateFile {
	const asked = "every wallet that is asked then refuses"
	files := []certificateFile{
		{"request_signing.certificate_file", c.RequestSigning.CertificateFile, "renew it: " + asked + ", and with x509_hash the client_id changes"},
		{"tls.certificate_file", c.TLS.CertificateFile, "renew it"},
	}
	for i, t := range c.Trust {
		files = append(files,
			certificateFile{fmt.Sprintf("trust[%d].anchors_file", i), t.AnchorsFile, "ask the issuer for the one that follows: credentials under it are denied then"},
			certificateFile{fmt.Sprintf("trust[%d].signers_file", i), t.SignersFile, "ask the issuer for the one that follows: what it signed is denied then"})
	}
	return slices.DeleteFunc(files, func(f certificateFile) bool { return f.path == "" })
}

// readIgnoringErrors returns the certificates of a file, or none if it cannot be read: Read reports that as an error.
func readIgnoringErrors(path string) []*x509.Certificate {
	found, err := readCertificates(path)
	if err != nil {
		return nil
	}
	return found
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// lintTLS checks that the server's certificate is for the issuer's host name.
func lintTLS(c config.Config, host string, add func(string, ...any)) {
	if c.TLS.CertificateFile == "" {
		return
	}
	chain := readIgnoringErrors(c.TLS.CertificateFile)
	if len(chain) > 0 && chain[0].VerifyHostname(host) != nil {
		add("tls.certificate_file: the certificate is for %s, and the issuer's host is %s: wallets and clients will not connect", strings.Join(chain[0].DNSNames, ", "), host)
	}
}

func lintWallets(c config.Config, now time.Time, add func(string, ...any)) {
	for i, w := range walletsOf(c) {
		key := fmt.Sprintf("wallets[%d] (%s)", i, w.Name)
		if w.ResponseMode == "direct_post" && w.Protocol == protocolOpenID4VP {
			add("%s: response_mode direct_post: answers are not encrypted beyond TLS; use direct_post.jwt where the wallets can", key)
		}
		if w.ClientIDPrefix == string(identity.RedirectURIOf) {
			add("%s: client_id_prefix redirect_uri: nothing proves to a wallet who asks; it is for trials", key)
		}
		if !redirectsBack(w) {
			add("%s: redirect_back: false: nothing binds the wallet to the browser that started, so an attacker who sends the link to a victim recovers the victim's account; let clients refuse session_bound: false", key)
		}
		if w.ClientIDPrefix == string(identity.AttestedOf) {
			lintAttestation(key, w, now, add)
		}
	}
}

func lintAttestation(key string, w config.WalletConfig, now time.Time, add func(string, ...any)) {
	text, err := os.ReadFile(w.AttestationFile)
	if err != nil {
		return
	}
	if ends, ok := identity.AttestationEnds(string(text)); ok && ends.Sub(now) < expiresSoon {
		add("%s: attestation_file: it ends at %s; ask its issuer for another", key, day(ends))
	}
}

// lintTrust warns about issuers that are trusted by DID only: status lists are signed with certificates.
func lintTrust(c config.Config, add func(string, ...any)) {
	for i, t := range c.Trust {
		if len(t.DIDs) > 0 && t.AnchorsFile == "" && t.SignersFile == "" && !t.StatusOptional {
			add("trust[%d]: dids alone: no certificate is trusted to sign a status list for these types, so all but Face Check receipts are denied; name such certificates in anchors_file, or set status_optional", i)
		}
	}
}

// lintLifetimes warns of lifetimes in which nobody can do what the pages promise.
func lintLifetimes(c config.Config, add func(string, ...any)) {
	const journey, wallet = 5 * time.Minute, time.Minute
	if c.RequestLife < wallet {
		add("request_lifetime %s: to open the wallet, read, agree and take a Face Check takes longer: write %s at least", c.RequestLife, wallet)
	}
	for i, p := range c.Profiles {
		key := fmt.Sprintf("profiles[%d] (%s)", i, p.Name)
		if p.Lifetime != 0 && p.Lifetime < journey {
			add("%s.lifetime %s: the page says that a recovery takes about five minutes: write %s at least, or leave it out", key, p.Lifetime, journey)
		}
		if p.Lifetime != 0 && c.RequestLife > p.Lifetime {
			add("%s.lifetime %s: ends before a request does (request_lifetime %s), so that wallets get less time than that says: lengthen it", key, p.Lifetime, c.RequestLife)
		}
		if code := cmp.Or(p.CrossDevice.QRLifetime, defaultQRLifetime); p.CrossDevice.Allow && code > c.RequestLife {
			add("%s.cross_device.qr_lifetime %s: the page promises a code for longer than what it leads to lives (request_lifetime %s): shorten the one or lengthen the other", key, code, c.RequestLife)
		}
		if age := p.FaceCheck.MaxAge; age != 0 && age < wallet {
			add("%s.face_check.max_age %s: who takes the Face Check and then reads what they agree to is denied: write %s at least", key, age, wallet)
		}
	}
}
