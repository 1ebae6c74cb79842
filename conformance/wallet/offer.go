package wallet

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/go-jose/go-jose/v4/json"
)

const preAuthorized = "urn:ietf:params:oauth:grant-type:pre-authorized_code"

// ErrOffer reports an offer that is malformed, or that asks for what this wallet cannot do.
var ErrOffer = errors.New("unusable credential offer")

// Offer is an issuer's offer (OpenID4VCI 1.0 §4.1) with the metadata needed to take it up. It can
// be taken up once.
type Offer struct {
	Issuer         string // credential issuer identifier, a URL
	IssuerName     string // what it calls itself, or its host
	CredentialName string // what it calls the credential, or the configuration's name

	code          string
	configuration string
	format        string
	typ           string // vct or docType
	metadata      issuerMetadata
	tokenURL      string
}

type offerJSON struct {
	Issuer         string                     `json:"credential_issuer"`
	Configurations []string                   `json:"credential_configuration_ids"`
	Grants         map[string]json.RawMessage `json:"grants"`
}

// ReadOffer reads what a link or a QR code offers and asks the issuer about it. Nothing is taken
// up yet: the person can still say no.
func (w *Wallet) ReadOffer(ctx context.Context, offerURL string) (*Offer, error) {
	raw, err := w.offerBody(ctx, offerURL)
	if err != nil {
		return nil, fmt.Errorf("reading the offer: %w", err)
	}
	var offered offerJSON
	if err := json.Unmarshal(raw, &offered); err != nil {
		return nil, fmt.Errorf("reading the offer: %w: it is not the JSON expected", ErrOffer)
	}
	code, err := offered.code()
	if err != nil {
		return nil, fmt.Errorf("reading the offer: %w: %w", ErrOffer, err)
	}
	metadata, tokenURL, err := w.issuerMetadata(ctx, offered.Issuer)
	if err != nil {
		return nil, fmt.Errorf("reading the issuer's metadata: %w", err)
	}
	o := &Offer{Issuer: offered.Issuer, code: code, metadata: metadata, tokenURL: tokenURL}
	if err := o.choose(offered.Configurations); err != nil {
		return nil, fmt.Errorf("reading the offer: %w: %w", ErrOffer, err)
	}
	return o, nil
}

// offerBody gets the offer's JSON, by value or by reference (§4.1.2, §4.1.3).
func (w *Wallet) offerBody(ctx context.Context, offerURL string) ([]byte, error) {
	if len(offerURL) > maxURL {
		return nil, fmt.Errorf("%w: the link is too long", ErrOffer)
	}
	u, err := url.Parse(offerURL)
	if err != nil {
		return nil, fmt.Errorf("%w: it is not a link", ErrOffer)
	}
	query := u.Query()
	value, reference := query["credential_offer"], query["credential_offer_uri"]
	if len(value)+len(reference) != 1 {
		return nil, fmt.Errorf("%w: the link has to hold one credential_offer or one credential_offer_uri", ErrOffer)
	}
	if len(value) == 1 {
		return []byte(value[0]), nil
	}
	answer, err := w.get(ctx, reference[0], "application/json")
	if err != nil {
		return nil, err
	}
	if answer.mediaType != "application/json" {
		return nil, fmt.Errorf("%w: it is %s, not application/json", ErrOffer, answer.mediaType)
	}
	return answer.body, nil
}

func (o offerJSON) code() (string, error) {
	raw, ok := o.Grants[preAuthorized]
	if !ok {
		return "", errors.New("it has no pre-authorized code, and this wallet knows no other grant")
	}
	var grant struct {
		Code   string          `json:"pre-authorized_code"`
		TxCode json.RawMessage `json:"tx_code"`
	}
	if err := json.Unmarshal(raw, &grant); err != nil || grant.Code == "" {
		return "", errors.New("its grant has no pre-authorized_code")
	}
	if grant.TxCode != nil {
		return "", errors.New("it wants a transaction code, which this wallet cannot ask for")
	}
	return grant.Code, nil
}

// choose takes the first offered configuration that this wallet can hold.
func (o *Offer) choose(offered []string) error {
	for _, id := range offered {
		c, ok := o.metadata.Configurations[id]
		if !ok || c.typ() == "" || !c.takesJWK() {
			continue
		}
		o.configuration, o.format, o.typ = id, c.Format, c.typ()
		o.CredentialName = firstName(c.Metadata.Display, id)
		o.IssuerName = firstName(o.metadata.Display, hostOf(o.Issuer))
		return nil
	}
	return errors.New("it offers no dc+sd-jwt or mso_mdoc credential bound to a key, which is what this wallet can hold")
}

// typ is the vct or the docType, empty where the format is not one that this wallet can hold.
func (c configuration) typ() string {
	switch c.Format {
	case sdJWTFormat:
		return c.VCT
	case mdocFormat:
		return c.DocType
	}
	return ""
}

func (c configuration) takesJWK() bool {
	if c.Proofs == nil {
		return false
	}
	return slices.Contains(c.Proofs["jwt"].Algorithms, "ES256")
}

func firstName(display []display, otherwise string) string {
	for _, d := range display {
		if d.Name != "" {
			return clip(d.Name)
		}
	}
	return clip(otherwise)
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Host
}
