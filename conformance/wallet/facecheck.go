package wallet

import (
	"context"
	"errors"
	"fmt"

	"regain/conformance/wallet/agent"
)

// ErrNoFaceCheck reports a credential for which no Face Check can be taken: no portrait in it, or
// an issuer that offers none.
var ErrNoFaceCheck = errors.New("no Face Check can be taken for this credential")

// FaceCheck takes a selfie, has the credential's issuer compare it with the portrait inside, and
// keeps the receipt (docs/protocols.md, part 3). A receipt says how alike the two were, which may
// be not at all: that is for the verifier to judge.
func (w *Wallet) FaceCheck(ctx context.Context, credentialID string) error {
	h, err := w.held.find(credentialID)
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
	nonce, _, err := w.agent.Nonce(ctx, h.nonceURL)
	if err != nil {
		return fmt.Errorf("taking a Face Check: %w", err)
	}
	presentation, err := w.present.write(h, presentation{
		places: [][]any{place}, audience: h.issuer, nonce: nonce, session: session{responseURI: h.faceCheckURL},
	})
	if err != nil {
		return fmt.Errorf("presenting the portrait: %w", err)
	}
	beside := ""
	if h.Format == mdocFormat {
		beside = nonce // an mdoc is signed over its hash only
	}
	raw, err := w.agent.FaceCheck(ctx, h.faceCheckURL, presentation, beside, selfie)
	if err != nil {
		return fmt.Errorf("having the selfie compared: %w", err)
	}
	receipt, err := w.check.inspect(sdJWTFormat, raw, w.cfg.ReceiptType, &h.key.PublicKey)
	if err != nil {
		return fmt.Errorf("checking the receipt: %w", err)
	}
	if err := agent.CheckResult(receipt.token.Claims()["faceCheckResults"], h.JTI, digest); err != nil {
		return fmt.Errorf("checking the receipt: %w", err)
	}
	w.held.Put(&holding{Credential: receipt, key: h.key, issuer: h.issuer, source: h.ID, taken: w.cfg.Clock()})
	w.cfg.Logger.InfoContext(ctx, "face check taken", "credential", h.Credential)
	return nil
}

// canFaceCheck reports whether a receipt for this credential can be got.
func (h *holding) canFaceCheck() bool {
	_, _, portrait := h.portrait()
	return portrait && h.faceCheckURL != "" && h.source == "" && h.key != nil
}
