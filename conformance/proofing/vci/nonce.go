package vci

import (
	"net/http"
	"time"

	"regain/conformance/proofing/dpop"
	"regain/conformance/proofing/nonce"
	"regain/conformance/proofing/web"
)

// nonces is the Nonce Endpoint.
type nonces struct {
	book   *nonce.Book
	proofs *dpop.Checker
	clock  func() time.Time
	errors web.Errors
}

// serve gives out a c_nonce, and a nonce for the DPoP proof of the request that will carry it (OpenID4VCI 1.0 §7.2).
func (n *nonces) serve(w http.ResponseWriter, r *http.Request) {
	made, err := n.book.Issue(n.clock())
	if err != nil {
		n.errors.Fault(w, r, err)
		return
	}
	next, err := n.proofs.Nonce()
	if err != nil {
		n.errors.Fault(w, r, err)
		return
	}
	w.Header().Set(dpop.NonceHeader, next)
	web.WriteJSON(w, http.StatusOK, map[string]string{"c_nonce": made})
}
