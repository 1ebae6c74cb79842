package load

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"regain/conformance/jose"
	"regain/conformance/people"
	"regain/conformance/sdjwt"
	"regain/conformance/testenv"
)

// holder holds one Verified ID and a recent Face Check receipt for it, and presents both.
type holder struct {
	env    *testenv.Env
	person people.Person
	key    *ecdsa.PrivateKey

	full     sdjwt.Token // the Verified ID with every disclosure
	verified string      // with the names only

	mu      sync.Mutex
	receipt string
	taken   time.Time
}

// receiptAge is how long a receipt is presented: a Face Check must not be older than the recovery, give or take a
// minute.
const receiptAge = 30 * time.Second

func newHolder(ctx context.Context, w *testenv.Env) (*holder, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the holder's key: %w", err)
	}
	h := &holder{env: w, person: people.Samples()[0], key: key}
	issued, err := w.Issuer.Issue(h.person.ID, jose.JWK{Key: key.Public()})
	if err != nil {
		return nil, err
	}
	if h.full, err = sdjwt.Parse(issued.Credential); err != nil {
		return nil, err
	}
	h.verified = h.disclosing("given_name", "family_name")
	_, err = h.faceCheck(ctx)
	return h, err
}

// disclosing is the credential with the named claims alone.
func (h *holder) disclosing(names ...string) string {
	var places [][]any
	for _, name := range names {
		places = append(places, []any{name})
	}
	return h.full.Present(h.full.Reveal(places))
}

// bind adds a key binding JWT (RFC 9901 §4.3).
func (h *holder) bind(presentation, nonce, audience string) (string, error) {
	binding, err := jose.Sign(h.key, map[string]any{"typ": "kb+jwt"}, map[string]any{
		"nonce": nonce, "aud": audience, "iat": time.Now().Unix(), "sd_hash": sdjwt.Digest(presentation),
	})
	if err != nil {
		return "", fmt.Errorf("sign key binding: %w", err)
	}
	return presentation + binding, nil
}

// faceCheck returns a receipt that is young enough, taking a Face Check if need be.
func (h *holder) faceCheck(ctx context.Context) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.receipt != "" && time.Since(h.taken) < receiptAge {
		return h.receipt, nil
	}
	var nonce struct {
		Value string `json:"c_nonce"`
	}
	if err := h.post(ctx, "/nonce", nil, &nonce); err != nil {
		return "", err
	}
	presentation, err := h.bind(h.disclosing("portrait"), nonce.Value, h.env.Proofing)
	if err != nil {
		return "", err
	}
	selfie, err := h.person.Selfie(people.Conditions{Light: people.Good, Seed: 1})
	if err != nil {
		return "", err
	}
	var answer struct {
		Receipt string `json:"receipt"`
	}
	err = h.post(ctx, "/face-check", map[string]string{"presentation": presentation, "selfie": base64.RawURLEncoding.EncodeToString(selfie)}, &answer)
	if err != nil {
		return "", err
	}
	h.receipt, h.taken = answer.Receipt, time.Now()
	return h.receipt, nil
}

func (h *holder) post(ctx context.Context, path string, body, into any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.env.Proofing+path, bytes.NewReader(data))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := h.env.Client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("proofing %s: status %d: %s: %w", path, resp.StatusCode, answer, err)
	}
	return json.Unmarshal(answer, into)
}
