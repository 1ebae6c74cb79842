package proofing

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"regain/conformance/people"
	"regain/conformance/proofing/jws"
)

const (
	faceCheckPath = "/face-check"

	receiptLife = 10 * time.Minute
	threshold   = 70 // what this provider calls a match, in receipts and on its own pages
)

// faceCheckResult is shaped after MicrosoftFaceCheckReceipt; the digest names the very photo that was compared.
type faceCheckResult struct {
	Source    string  `json:"sourceVcJti"`
	Photo     string  `json:"sourcePhotoDigest"`
	Threshold int     `json:"matchConfidenceThreshold"`
	Score     float64 `json:"matchConfidenceScore"`
	Quality   string  `json:"sourcePhotoQuality"`
}

type receipt struct {
	Issuer  string            `json:"iss"`
	Type    string            `json:"vct"`
	ID      string            `json:"jti"`
	Issued  int64             `json:"iat"`
	Expires int64             `json:"exp"`
	Holder  holderKey         `json:"cnf"`
	Results []faceCheckResult `json:"faceCheckResults"`
}

// serveFaceCheck compares the photo in a presented Verified ID with a selfie and answers with a receipt, whatever the
// score: what it means is for the verifier to decide.
func (s *Server) serveFaceCheck(w http.ResponseWriter, r *http.Request) {
	signed, err := s.faceCheck(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"receipt": signed})
}

func (s *Server) faceCheck(r *http.Request) (string, error) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		return "", refuse("invalid_request", "the request must be application/json")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return "", readError(err, "invalid_request")
	}
	var request struct {
		Presentation string `json:"presentation"`
		Nonce        string `json:"nonce"` // an mdoc is signed over its digest only, so it has to stand beside it
		Selfie       string `json:"selfie"`
	}
	if err := decodeJSON(body, &request); err != nil || request.Presentation == "" || request.Selfie == "" {
		return "", refuse("invalid_request", "presentation and selfie are required")
	}
	shown, nonce, err := s.openShown(request.Presentation, request.Nonce)
	if err != nil {
		return "", refuse("invalid_presentation", explain(err))
	}
	selfie, err := base64.RawURLEncoding.DecodeString(request.Selfie)
	if err != nil {
		return "", refuse("invalid_selfie", "the selfie is not base64url")
	}
	// The comparison is the dear part: a nonce pays for it, and pays once.
	if !s.nonces.Spend(nonce, s.config.Clock()) {
		return "", refuse("invalid_nonce", "the nonce is not known, expired or used")
	}
	match, err := s.config.Studio.Compare(shown.portrait, selfie)
	if err != nil {
		return "", refuse("invalid_selfie", "the selfie is no usable JPEG")
	}
	return s.writeReceipt(shown, match)
}

// openShown verifies a presentation of any format, and returns it with the nonce that the holder signed.
func (s *Server) openShown(presentation, nonce string) (presented, string, error) {
	switch {
	case strings.Contains(presentation, "~"):
		return s.openPresentation(presentation)
	case strings.Contains(presentation, "."):
		return s.openVC(presentation)
	}
	shown, err := s.openLicence(presentation, nonce)
	return shown, nonce, err
}

// explain says what is wrong with a presentation in words of our own: a library's error may quote what came.
func explain(err error) string {
	if errors.Is(err, jws.Err) {
		return "a JWT of the presentation cannot be verified"
	}
	return err.Error()
}

func (s *Server) writeReceipt(shown presented, match people.Comparison) (string, error) {
	if shown.holder.did != "" {
		return s.writeReceiptVC(shown, match)
	}
	id, err := s.identifier()
	if err != nil {
		return "", err
	}
	now := s.config.Clock()
	payload, err := json.Marshal(receipt{
		Issuer: s.config.BaseURL, Type: ReceiptType, ID: id, Issued: now.Unix(), Expires: now.Add(receiptLife).Unix(),
		Holder: bare(shown.holder.key), Results: shown.results(match),
	})
	if err != nil {
		return "", fmt.Errorf("writing a receipt: %w", err)
	}
	signed, err := s.ca.receipts.sign("dc+sd-jwt", payload)
	if err != nil {
		return "", err
	}
	return signed + "~", nil
}
