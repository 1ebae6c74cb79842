package plan_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"regain/internal/config"
)

// What works today and will not, or hardly, is told before a wallet's silence tells it.
func TestWarnings(t *testing.T) {
	cfg := valid(t)
	now := time.Now()
	says := func(at time.Time, what string) {
		t.Helper()
		if all := strings.Join(warnings(t, cfg, at), "\n"); !strings.Contains(all, what) {
			t.Errorf("no warning says %q:\n%s", what, all)
		}
	}
	says(now, "https addresses only")
	if all := strings.Join(warnings(t, cfg, now), "\n"); strings.Contains(all, "certificate") {
		t.Errorf("a certificate of a year: %s", all)
	}
	says(now.Add(340*24*time.Hour), "request_signing.certificate_file: certificate 0 of request.crt expires at")
	says(now.Add(340*24*time.Hour), "trust[0].anchors_file")
	says(now.Add(400*24*time.Hour), "expired at")
	cfg.TLS.CertificateFile, cfg.Issuer = cfg.RequestSigning.CertificateFile, "https://elsewhere.localhost"
	says(now, "the certificate is for regain.localhost, and the issuer's host is elsewhere.localhost")
	cfg.Wallets = []config.WalletConfig{{ClientIDPrefix: "redirect_uri", ByValue: true, ResponseMode: "direct_post"}}
	says(now, "nothing proves to a wallet who asks")
	says(now, "not encrypted")
	cfg.TLS.CertificateFile = ""
	says(now, "limits by network are shared by all") // TLS ends elsewhere
	if cfg.TrustedProxies = []string{"10.0.0.0/8"}; strings.Contains(strings.Join(warnings(t, cfg, now), "\n"), "shared by all") {
		t.Error("a proxy that is believed is warned of")
	}
	cfg.Trust = append(cfg.Trust, config.TrustConfig{Types: []string{"VerifiedIdentity"}, DIDs: []string{"did:web:issuer.example"}})
	says(now, "trust[1]: dids alone")
	cfg.Wallets = nil
	other := cfg.Profiles[0]
	other.Name, other.Priority, other.AllUsers, other.Groups, other.CrossDevice.Allow = "pilot", 5, false, []string{"pilot"}, true
	cfg.Profiles = append(cfg.Profiles, other)
	says(now, "an outsider can tell which accounts pilot covers")
	cfg.Profiles[1].CrossDevice.Allow = cfg.Profiles[0].CrossDevice.Allow
	if all := strings.Join(warnings(t, cfg, now), "\n"); strings.Contains(all, "seen from outside") {
		t.Errorf("profiles that look alike: %s", all)
	}
	jwt := filepath.Join(t.TempDir(), "attestation.jwt")
	text := "eyJ0eXAiOiJ2ZXJpZmllci1hdHRlc3RhdGlvbitqd3QifQ." + "eyJleHAiOjF9" + ".eA" // exp: 1
	if err := os.WriteFile(jwt, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.Wallets = []config.WalletConfig{{ClientIDPrefix: "verifier_attestation", AttestationFile: jwt}}
	says(now, "attestation_file: it ends at 1970-01-01")
}

// What is weaker or shorter than it reads is warned of, with the key and the cure.
func TestLifetimesAndModesAreWarnedOf(t *testing.T) {
	valid := valid(t)
	valid.Issuer, valid.TLS.CertificateFile = "https://regain.localhost", valid.RequestSigning.CertificateFile
	for says, change := range map[string]func(*config.Config){
		"request_lifetime 20s: to open the wallet":                                                        func(c *config.Config) { c.RequestLife = 20 * time.Second },
		"profiles[0] (development).lifetime 2m0s: the page says that a recovery takes about five minutes": func(c *config.Config) { c.Profiles[0].Lifetime = 2 * time.Minute },
		"profiles[0] (development).lifetime 6m0s: ends before a request does":                             func(c *config.Config) { c.Profiles[0].Lifetime, c.RequestLife = 6*time.Minute, 10*time.Minute },
		"profiles[0] (development).cross_device.qr_lifetime 2m0s: the page promises": func(c *config.Config) {
			c.Profiles[0].CrossDevice, c.RequestLife = config.CrossDeviceConfig{Allow: true, QRLifetime: 2 * time.Minute}, 90*time.Second
		},
		"profiles[0] (development).face_check.max_age 10s: who takes":                                           func(c *config.Config) { c.Profiles[0].FaceCheck.MaxAge = 10 * time.Second },
		"secrets.token_secret: everybody on this machine can read " + valid.Secrets.Token.File + " (mode 0644)": func(*config.Config) { _ = os.Chmod(valid.Secrets.Token.File, 0o644) },
		"tls.certificate_file: the certificate is for regain.localhost, and the issuer's host is other.example": func(c *config.Config) { c.Issuer = "https://other.example" },
	} {
		cfg := valid
		cfg.Profiles = slices.Clone(valid.Profiles)
		if all := strings.Join(warnings(t, cfg, time.Now()), "\n"); strings.Contains(all, says) {
			t.Errorf("warned of before anything is wrong: %s", all)
		}
		change(&cfg)
		if all := strings.Join(warnings(t, cfg, time.Now()), "\n"); !strings.Contains(all, says) {
			t.Errorf("no warning says %q:\n%s", says, all)
		}
	}
}
