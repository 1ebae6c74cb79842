package facecheck

import (
	"fmt"
	"time"

	"regain/conformance/people"
	"regain/conformance/proofing/authority"
	"regain/conformance/proofing/credential"
	"regain/conformance/proofing/jwtvc"
	"regain/conformance/proofing/random"
)

// The types of receipts: the vct of an SD-JWT VC, and the type of a JWT VC beside VerifiableCredential.
const (
	ReceiptType   = "urn:regain:face-check-receipt:1"
	ReceiptVCType = "FaceCheckReceipt"
)

const receiptLife = 10 * time.Minute

// result is shaped after MicrosoftFaceCheckReceipt; the digest names the very photo that was compared.
type result struct {
	Source    string  `json:"sourceVcJti"`
	Photo     string  `json:"sourcePhotoDigest"`
	Threshold int     `json:"matchConfidenceThreshold"`
	Score     float64 `json:"matchConfidenceScore"`
	Quality   string  `json:"sourcePhotoQuality"`
}

type receipt struct {
	Issuer  string                  `json:"iss"`
	Type    string                  `json:"vct"`
	ID      string                  `json:"jti"`
	Issued  int64                   `json:"iat"`
	Expires int64                   `json:"exp"`
	Holder  credential.Confirmation `json:"cnf"`
	Results []result                `json:"faceCheckResults"`
}

// writer issues receipts to the holder of what was shown.
type writer struct {
	baseURL string
	signer  *authority.Signer
	vcs     *jwtvc.Issuer
	random  *random.Source
	clock   func() time.Time
}

func (w writer) write(shown presented, match people.Comparison) (string, error) {
	if shown.holder.DID != "" {
		return w.writeVC(shown, match)
	}
	id, err := w.random.UUID()
	if err != nil {
		return "", err
	}
	now := w.clock()
	signed, err := w.signer.Sign("dc+sd-jwt", receipt{
		Issuer: w.baseURL, Type: ReceiptType, ID: id, Issued: now.Unix(), Expires: now.Add(receiptLife).Unix(),
		Holder: credential.Confirm(shown.holder.Key), Results: shown.results(match),
	})
	if err != nil {
		return "", err
	}
	return signed + "~", nil
}

// writeVC makes the receipt for a JWT VC: another one, for the same DID.
func (w writer) writeVC(shown presented, match people.Comparison) (string, error) {
	now := w.clock()
	_, compact, err := w.vcs.Issue(jwtvc.Credential{
		Type: ReceiptVCType, Subject: shown.holder.DID, From: now, Until: now.Add(receiptLife),
		About: map[string]any{"faceCheckResults": shown.results(match)},
	})
	if err != nil {
		return "", fmt.Errorf("issuing a receipt: %w", err)
	}
	return compact, nil
}
