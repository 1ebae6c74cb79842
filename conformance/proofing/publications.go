package proofing

import (
	"net/http"
	"time"

	"regain/conformance/mdoc"
	"regain/conformance/proofing/authority"
	"regain/conformance/proofing/jwtvc"
	"regain/conformance/proofing/web"
)

// publications are what everybody may read about who signs here.
type publications struct {
	vcs      *jwtvc.Issuer
	licences *mdoc.Authority
	clock    func() time.Time
	errors   web.Errors
}

// Mount serves them.
func (p publications) Mount(mux *http.ServeMux) {
	mux.HandleFunc("GET /.well-known/did.json", p.serveDID)
	mux.HandleFunc("GET /.well-known/did-configuration.json", p.serveDIDConfiguration)
	mux.HandleFunc("GET "+authority.RevocationPath, p.serveRevocations)
}

// serveDID is the DID document (did:web, Read).
func (p publications) serveDID(w http.ResponseWriter, _ *http.Request) {
	publish(w, p.vcs.Document())
}

// serveDIDConfiguration is what the domain says of the DID (DIF Well Known DID Configuration).
func (p publications) serveDIDConfiguration(w http.ResponseWriter, r *http.Request) {
	configuration, err := p.vcs.Configuration(p.clock())
	if err != nil {
		p.errors.Fault(w, r, err)
		return
	}
	publish(w, configuration)
}

// serveRevocations is the CRL of those who sign licences.
func (p publications) serveRevocations(w http.ResponseWriter, r *http.Request) {
	list, err := p.licences.RevocationList(p.clock())
	if err != nil {
		p.errors.Fault(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/pkix-crl")
	_, _ = w.Write(list)
}

// publish answers with what everybody may read, a page of another origin too.
func publish(w http.ResponseWriter, value any) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Cache-Control", "public, max-age=300")
	web.WriteJSON(w, http.StatusOK, value)
}
