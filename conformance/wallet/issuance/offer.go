package issuance

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/wallet/address"
	"regain/conformance/wallet/agent"
)

const preAuthorized = "urn:ietf:params:oauth:grant-type:pre-authorized_code"

var (
	// ErrOffer reports an offer that is malformed, or that asks for what this wallet cannot do.
	ErrOffer = errors.New("unusable credential offer")
	// ErrTransactionCode reports an offer whose transaction code was not given or may be wrong, or one
	// given where none is asked for.
	ErrTransactionCode = errors.New("the offer's transaction code")
)

// Offer is an issuer's offer (OpenID4VCI 1.0 §4.1) with the metadata needed to take it up. It can be taken up once.
type Offer struct {
	Issuer      string // credential issuer identifier, a URL
	IssuerName  string // what it calls itself, or its host
	TxCode      *TxCode
	Credentials []Kind // those offered that the wallet can hold, in the offer's order; at least one

	code     string
	metadata Metadata
	server   server
}

// TxCode says what kind of code the person has to type in, as far as the issuer says so (OpenID4VCI 1.0 §4.1.1).
type TxCode struct {
	Numeric     bool
	Length      int    // 0 when it is not known
	Description string // the issuer's words, clipped
}

// Kind is one credential configuration of an issuer.
type Kind struct {
	ID, Name     string // in the metadata, and for people
	Format, Type string // Type is the vct or the doctype

	attested bool // the issuer wants the wallet provider's word for the keys
}

// Metadata is the issuer's metadata of an offer.
func (o *Offer) Metadata() Metadata { return o.metadata }

type offerJSON struct {
	Issuer         string                     `json:"credential_issuer"`
	Configurations []string                   `json:"credential_configuration_ids"`
	Grants         map[string]json.RawMessage `json:"grants"`
}

type grantJSON struct {
	Code   string          `json:"pre-authorized_code"`
	TxCode json.RawMessage `json:"tx_code"`
	Server string          `json:"authorization_server"`
}

// Read reads what a link or a QR code offers and asks the issuer about it. Nothing is taken up yet:
// the person can still say no.
func (c *Client) Read(ctx context.Context, link string) (*Offer, error) {
	raw, err := c.offerBody(ctx, link)
	if err != nil {
		return nil, fmt.Errorf("reading the offer: %w", err)
	}
	var offered offerJSON
	if err := json.Unmarshal(raw, &offered); err != nil {
		return nil, fmt.Errorf("reading the offer: %w: it is not the JSON expected", ErrOffer)
	}
	o := &Offer{Issuer: offered.Issuer}
	hint, err := o.take(offered.Grants)
	if err != nil {
		return nil, fmt.Errorf("reading the offer: %w: %w", ErrOffer, err)
	}
	if o.metadata, err = c.issuerMetadata(ctx, offered.Issuer); err != nil {
		return nil, fmt.Errorf("reading the issuer's metadata: %w", err)
	}
	if o.server, err = c.serverOf(ctx, o.metadata, hint); err != nil {
		return nil, fmt.Errorf("reading the metadata of the authorization server: %w", err)
	}
	o.IssuerName = firstName(o.metadata.Display, hostOf(o.Issuer))
	if o.Credentials = c.kinds(o.metadata, offered.Configurations); len(o.Credentials) == 0 {
		return nil, fmt.Errorf("reading the offer: %w: it offers no credential bound to a key of a kind that this wallet can hold", ErrOffer)
	}
	return o, nil
}

// offerBody gets the offer's JSON, by value or by reference (OpenID4VCI 1.0 §4.1.2, §4.1.3).
func (c *Client) offerBody(ctx context.Context, link string) ([]byte, error) {
	if len(link) > address.Longest {
		return nil, fmt.Errorf("%w: the link is too long", ErrOffer)
	}
	u, err := url.Parse(link)
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
	got, err := c.get(ctx, reference[0], agent.JSON)
	if err != nil {
		return nil, err
	}
	if got.MediaType != agent.JSON {
		return nil, fmt.Errorf("%w: it is not application/json", ErrOffer)
	}
	return got.Body, nil
}

// take reads the one grant that this wallet knows, and returns the authorization server that it names.
func (o *Offer) take(grants map[string]json.RawMessage) (string, error) {
	raw, ok := grants[preAuthorized]
	if !ok {
		return "", errors.New("it has no pre-authorized code, and this wallet knows no other grant")
	}
	var grant grantJSON
	if err := json.Unmarshal(raw, &grant); err != nil || grant.Code == "" {
		return "", errors.New("its grant has no pre-authorized_code")
	}
	o.code = grant.Code
	if grant.TxCode == nil || string(grant.TxCode) == "null" {
		return grant.Server, nil
	}
	var about struct {
		Mode        string `json:"input_mode"`
		Length      int    `json:"length"`
		Description string `json:"description"`
	}
	if err := json.Unmarshal(grant.TxCode, &about); err != nil || about.Length < 0 {
		return "", errors.New("its tx_code is malformed")
	}
	// An empty object asks for a code too (OpenID4VCI 1.0 §6.1), and numeric is the default.
	o.TxCode = &TxCode{Numeric: about.Mode != "text", Length: about.Length, Description: agent.Clip(about.Description)}
	return grant.Server, nil
}

// kinds are the offered configurations that the wallet can hold, each once.
func (c *Client) kinds(m Metadata, offered []string) []Kind {
	var kinds []Kind
	seen := map[string]bool{}
	for _, id := range offered {
		configuration := m.Configurations[id]
		taken, attested := configuration.takesKeys()
		if seen[id] || !c.holds(configuration.Format) || configuration.typ() == "" || !taken || attested && !c.attests() {
			continue
		}
		seen[id] = true
		kinds = append(kinds, Kind{
			ID: id, Name: firstName(configuration.Metadata.Display, id), Format: configuration.Format, Type: configuration.typ(),
			attested: attested,
		})
	}
	return kinds
}

func firstName(display []display, otherwise string) string {
	for _, d := range display {
		if d.Name != "" {
			return agent.Clip(d.Name)
		}
	}
	return agent.Clip(otherwise)
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Host
}
