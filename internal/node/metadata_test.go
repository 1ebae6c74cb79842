package node_test

import (
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"regain/internal/node"
)

// A claim of the directory's is announced, and one that it has no attribute for is not.
func TestAnnouncedClaims(t *testing.T) {
	cfg := valid(t)
	cfg.Directory.File = filepath.Join(t.TempDir(), "directory.yaml")
	if err := os.WriteFile(cfg.Directory.File, []byte("accounts: [{name: a, attributes: {given_name: A, family_name: B, email: a@x, shoe_size: \"9\"}}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	n, err := node.New(cfg, node.Deps{Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	answer := httptest.NewRecorder()
	n.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, cfg.Issuer+"/.well-known/openid-configuration", nil))
	var document struct {
		Claims []string `json:"claims_supported"`
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	for claim, want := range map[string]bool{
		"given_name": true, "name": true, "preferred_username": true, "email": true, "sub": true, "picture": false, "address": false, "phone_number": false, "email_verified": false, "shoe_size": false,
	} {
		if got := slices.Contains(document.Claims, claim); got != want {
			t.Errorf("%s is announced: %t", claim, got)
		}
	}
}
