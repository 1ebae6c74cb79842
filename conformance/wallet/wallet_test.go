package wallet_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"regain/conformance/wallet"
	"regain/conformance/wallet/wallettest"
)

func TestNewRefusesMissingParts(t *testing.T) {
	for name, spoil := range map[string]func(*wallet.Config){
		"HTTPClient":     func(c *wallet.Config) { c.HTTPClient = nil },
		"Clock":          func(c *wallet.Config) { c.Clock = nil },
		"Random":         func(c *wallet.Config) { c.Random = nil },
		"Logger":         func(c *wallet.Config) { c.Logger = nil },
		"Camera":         func(c *wallet.Config) { c.Camera = nil },
		"RequestAnchors": func(c *wallet.Config) { c.RequestAnchors = nil },
	} {
		config := wallettest.New(t).Config
		spoil(&config)
		if _, err := wallet.New(config); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestNothingPersonalIsPrinted(t *testing.T) {
	w := wallettest.New(t)
	var log bytes.Buffer
	w.Config.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.Remake(t)
	c := w.Accept(t)
	r := w.Ready(t)
	if _, err := w.Wallet.Share(t.Context(), r, wallet.ShareOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Wallet.Decline(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	w.Config.Logger.Info("by hand", "credential", c, "request", r, "share", r.Shares[0], "all", r.Shares)
	raw, err := json.Marshal(map[string]any{"c": c, "pointer": &c, "r": r, "shares": r.Shares})
	if err != nil {
		t.Fatal(err)
	}
	printed := fmt.Sprintf("%v %+v %#v %s %v %#v %v %+v %#v", c, c, c, c, r, r, r.Shares, r.Shares, r.Shares) + log.String() + string(raw)
	secrets := []string{"Lovelace", "1990-12-10", "a picture of Ada", wallettest.Encode([]byte("a picture of Ada")), "a selfie", w.Verifier.Nonce, w.Verifier.State, w.Issuer.Token, w.Issuer.Code}
	for _, secret := range secrets {
		if strings.Contains(printed, secret) {
			t.Errorf("%q was printed", secret)
		}
	}
	if !strings.Contains(log.String(), "request answered") || !strings.Contains(printed, c.ID) {
		t.Error("nothing was printed at all")
	}
}

func TestHTTPClientFindsLocalhostNames(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.Host)) }))
	defer server.Close()
	client := wallet.NewHTTPClient(5 * time.Second)
	for _, host := range []string{"localhost", "issuer.localhost", "a.b.LOCALHOST", "issuer.localhost.", "127.0.0.1"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.Replace(server.URL, "127.0.0.1", host, 1), nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(request)
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		_ = answer.Body.Close()
	}
}

func TestWalletEndsWithItsContext(t *testing.T) {
	w := wallettest.WithCredential(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Wallet.Review(ctx, w.Verifier.Link("post")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// FuzzReview feeds links to a wallet that can reach nobody: each must end in an error, never in a panic.
func FuzzReview(f *testing.F) {
	for _, seed := range []string{
		"", "openid4vp://authorize?client_id=x509_hash:abc&request_uri=https://v.example/r&request_uri_method=post",
		"haip-vp://?client_id=x509_hash:&request_uri=http://localhost:1/", "https://w.example/authorize?request=e30", "::", "a:?%",
	} {
		f.Add(seed)
	}
	w := unreachable(f)
	f.Fuzz(func(t *testing.T, link string) {
		if _, err := w.Review(t.Context(), link); err == nil {
			t.Errorf("%q was taken for a request", link)
		}
	})
}

// FuzzReadOffer does the same with offers.
func FuzzReadOffer(f *testing.F) {
	for _, seed := range []string{
		"", "x://?credential_offer={}", "x://?credential_offer_uri=https://i.example/o",
		`x://?credential_offer={"credential_issuer":"https://i.example","credential_configuration_ids":["a"],"grants":{"urn:ietf:params:oauth:grant-type:pre-authorized_code":{"pre-authorized_code":"x"}}}`,
	} {
		f.Add(seed)
	}
	w := unreachable(f)
	f.Fuzz(func(t *testing.T, link string) {
		if _, err := w.ReadOffer(t.Context(), link); err == nil {
			t.Errorf("%q was taken for an offer", link)
		}
	})
}

type nowhere struct{}

func (nowhere) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("nobody there")
}

func unreachableClient() *http.Client { return &http.Client{Transport: nowhere{}} }

func unreachable(t testing.TB) *wallet.Wallet {
	t.Helper()
	w := wallettest.New(t)
	w.Config.HTTPClient = unreachableClient()
	w.Remake(t)
	return w.Wallet
}
