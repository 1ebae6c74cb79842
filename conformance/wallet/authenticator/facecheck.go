package authenticator

import (
	"context"
	"fmt"

	"regain/conformance/wallet"
	"regain/conformance/wallet/agent"
)

// FaceCheck takes a selfie, has the credential's issuer compare it with the portrait inside, and
// keeps the receipt (docs/protocols.md, part 3, with JWT VCs). A receipt says how alike the two
// were, which may be not at all: that is for the verifier to judge.
func (w *Wallet) FaceCheck(ctx context.Context, credentialID string) error {
	h, err := w.held.find(credentialID)
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
	nonce, _, err := w.agent.Nonce(ctx, h.from.NonceURL)
	if err != nil {
		return fmt.Errorf("taking a Face Check: %w", err)
	}
	presentation, err := w.answers.present(h.from.Issuer, nonce, []string{h.raw}, ShareOptions{})
	if err != nil {
		return fmt.Errorf("presenting the portrait: %w", err)
	}
	raw, err := w.agent.FaceCheck(ctx, h.from.FaceCheckURL, presentation, "", selfie)
	if err != nil {
		return fmt.Errorf("having the selfie compared: %w", err)
	}
	receipt, err := w.check.inspect(ctx, raw)
	if err != nil {
		return fmt.Errorf("checking the receipt: %w", err)
	}
	if err := receipt.isAbout(h.Credential, w.cfg.ReceiptType); err != nil {
		return fmt.Errorf("checking the receipt: %w: %w", ErrCredential, err)
	}
	w.held.Put(&holding{Credential: receipt, from: h.from, source: h.ID, taken: w.cfg.Clock()})
	w.cfg.Logger.InfoContext(ctx, "face check taken", "credential", h.Credential)
	return nil
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
	return agent.CheckResult(c.subject()["faceCheckResults"], source.JTI, source.photoDigest())
}
