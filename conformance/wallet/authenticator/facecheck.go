package authenticator

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/wallet"
)

// FaceCheck takes a selfie, has the credential's issuer compare it with the portrait inside, and
// keeps the receipt (docs/protocols.md, part 3, with JWT VCs). A receipt says how alike the two
// were, which may be not at all: that is for the verifier to judge.
func (w *Wallet) FaceCheck(ctx context.Context, credentialID string) error {
	h, err := w.find(credentialID)
	if err != nil {
		return fmt.Errorf("taking a Face Check: %w", err)
	}
	if !h.canFaceCheck() {
		return fmt.Errorf("taking a Face Check: %w", wallet.ErrNoFaceCheck)
	}
	selfie, err := w.cfg.Camera.Selfie(ctx)
	if err != nil {
		return fmt.Errorf("taking a selfie: %w", err)
	}
	nonce, err := w.nonce(ctx, h.from.NonceURL)
	if err != nil {
		return fmt.Errorf("taking a Face Check: %w", err)
	}
	presentation, err := w.present(h.from.Issuer, nonce, []string{h.raw}, ShareOptions{})
	if err != nil {
		return fmt.Errorf("presenting the portrait: %w", err)
	}
	raw, err := w.compare(ctx, h.from.FaceCheckURL, presentation, selfie)
	if err != nil {
		return fmt.Errorf("having the selfie compared: %w", err)
	}
	receipt, err := w.inspect(ctx, raw)
	if err != nil {
		return fmt.Errorf("checking the receipt: %w", err)
	}
	if err := receipt.isAbout(h.Credential, w.cfg.ReceiptType); err != nil {
		return fmt.Errorf("checking the receipt: %w: %w", ErrCredential, err)
	}
	w.shelf.Put(&holding{Credential: receipt, from: h.from, source: h.ID, taken: w.cfg.Clock()})
	w.cfg.Logger.InfoContext(ctx, "face check taken", "credential", h.Credential)
	return nil
}

func (w *Wallet) compare(ctx context.Context, address, presentation string, selfie []byte) (string, error) {
	body, err := json.Marshal(map[string]string{
		"presentation": presentation,
		"selfie":       base64.RawURLEncoding.EncodeToString(selfie),
	})
	if err != nil {
		return "", fmt.Errorf("encoding the request: %w", err)
	}
	answer, err := w.agent.Post(ctx, address, "application/json", string(body))
	if err != nil {
		return "", err
	}
	var got struct {
		Receipt string `json:"receipt"`
	}
	if err := answer.Decode(&got); err != nil {
		return "", err
	}
	return got.Receipt, nil
}

// nonce fetches a c_nonce (OpenID4VCI 1.0 §7), empty when the issuer has no nonce endpoint.
func (w *Wallet) nonce(ctx context.Context, address string) (string, error) {
	if address == "" {
		return "", nil
	}
	answer, err := w.agent.Post(ctx, address, formType, "")
	if err != nil {
		return "", fmt.Errorf("fetching a nonce: %w", err)
	}
	var body struct {
		Nonce string `json:"c_nonce"`
	}
	if err := answer.Decode(&body); err != nil || body.Nonce == "" {
		return "", errors.New("fetching a nonce: c_nonce is missing")
	}
	return body.Nonce, nil
}

// canFaceCheck reports whether a receipt for this credential can be got.
func (h *holding) canFaceCheck() bool {
	return h.portrait() != "" && h.from.FaceCheckURL != "" && h.source == ""
}

// isAbout checks that a receipt speaks of the credential and of this very portrait.
func (c Credential) isAbout(source Credential, kind string) error {
	if c.Type != kind {
		return fmt.Errorf("its type is not %s", kind)
	}
	results, _ := c.subject()["faceCheckResults"].([]any)
	if len(results) != 1 {
		return errors.New("it does not hold exactly one result")
	}
	result, _ := results[0].(map[string]any)
	if result["sourceVcJti"] != source.JTI {
		return errors.New("it is about another credential")
	}
	if result["sourcePhotoDigest"] != source.photoDigest() {
		return errors.New("it is about another portrait")
	}
	return nil
}
