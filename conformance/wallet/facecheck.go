package wallet

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"

	"github.com/go-jose/go-jose/v4/json"
)

// ErrNoFaceCheck reports a credential for which no Face Check can be taken: no portrait in it, or
// an issuer that offers none.
var ErrNoFaceCheck = errors.New("no Face Check can be taken for this credential")

// FaceCheck takes a selfie, has the credential's issuer compare it with the portrait inside, and
// keeps the receipt (docs/protocols.md, part 3). A receipt says how alike the two were, which may
// be not at all: that is for the verifier to judge.
func (w *Wallet) FaceCheck(ctx context.Context, credentialID string) error {
	h, err := w.find(credentialID)
	if err != nil {
		return fmt.Errorf("taking a Face Check: %w", err)
	}
	place, digest, _ := h.portrait()
	if !h.canFaceCheck() {
		return fmt.Errorf("taking a Face Check: %w", ErrNoFaceCheck)
	}
	selfie, err := w.cfg.Camera.Selfie(ctx)
	if err != nil {
		return fmt.Errorf("taking a selfie: %w", err)
	}
	nonce, err := w.nonce(ctx, h.nonceURL)
	if err != nil {
		return fmt.Errorf("taking a Face Check: %w", err)
	}
	presentation, err := w.present(h, presentation{
		places: [][]any{place}, audience: h.issuer, nonce: nonce, session: session{responseURI: h.faceCheckURL},
	})
	if err != nil {
		return fmt.Errorf("presenting the portrait: %w", err)
	}
	raw, err := w.compare(ctx, h, presentation, nonce, selfie)
	if err != nil {
		return fmt.Errorf("having the selfie compared: %w", err)
	}
	receipt, err := w.inspect(sdJWTFormat, raw, w.cfg.ReceiptType, &h.key.PublicKey)
	if err != nil {
		return fmt.Errorf("checking the receipt: %w", err)
	}
	if err := receipt.namesSource(h.JTI, digest); err != nil {
		return fmt.Errorf("checking the receipt: %w", err)
	}
	w.shelf.Put(&holding{Credential: receipt, key: h.key, issuer: h.issuer, source: h.ID, taken: w.cfg.Clock()})
	w.cfg.Logger.InfoContext(ctx, "face check taken", "credential", h.Credential)
	return nil
}

func (w *Wallet) compare(ctx context.Context, h *holding, presentation, nonce string, selfie []byte) (string, error) {
	members := map[string]string{"presentation": presentation, "selfie": base64.RawURLEncoding.EncodeToString(selfie)}
	if h.Format == mdocFormat {
		members["nonce"] = nonce // an mdoc is signed over its hash, which says it to nobody
	}
	body, err := json.Marshal(members)
	if err != nil {
		return "", fmt.Errorf("encoding the request: %w", err)
	}
	answer, err := w.post(ctx, h.faceCheckURL, http.Header{
		"Accept": {"application/json"}, "Content-Type": {"application/json"},
	}, string(body))
	if err != nil {
		return "", err
	}
	var got struct {
		Receipt string `json:"receipt"`
	}
	if err := answer.decode(&got); err != nil {
		return "", err
	}
	return got.Receipt, nil
}

// canFaceCheck reports whether a receipt for this credential can be got.
func (h *holding) canFaceCheck() bool {
	_, _, portrait := h.portrait()
	return portrait && h.faceCheckURL != "" && h.source == "" && h.key != nil
}

// namesSource checks that a receipt speaks of this credential and of this very portrait.
func (c Credential) namesSource(jti, digest string) error {
	results, _ := c.token.Claims()["faceCheckResults"].([]any)
	if len(results) != 1 {
		return errors.New("it does not hold exactly one result")
	}
	result, _ := results[0].(map[string]any)
	if result["sourceVcJti"] != jti {
		return errors.New("it is about another credential")
	}
	if result["sourcePhotoDigest"] != digest {
		return errors.New("it is about another portrait")
	}
	return nil
}
