package dcql

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Credential Format Identifiers (OpenID4VP 1.0 Appendix B).
const (
	FormatSDJWT  = "dc+sd-jwt"   // SD-JWT VC, B.3
	FormatMdoc   = "mso_mdoc"    // ISO 18013-5, B.2
	FormatJWTVC  = "jwt_vc_json" // W3C VC as a JWT without JSON-LD, B.1.3.1
	FormatLDPVC  = "ldp_vc"      // W3C VC with Data Integrity, B.1.3.2
	mdocPathSize = 2             // namespace and element, OpenID4VP 1.0 §7.2
)

// The type that every W3C credential has, and the IRI to which the base contexts expand it. Queries name expanded types
// (OpenID4VP 1.0 Appendix B.1.1). Without JSON-LD this is the only type that can be expanded here.
const (
	vcType    = "VerifiableCredential"
	vcTypeIRI = "https://www.w3.org/2018/credentials#VerifiableCredential"
)

// Meta has the accepted types, in the one member that belongs to the format (OpenID4VP 1.0 Appendix B).
type Meta struct {
	VCTValues    []string   `json:"vct_values,omitempty"`    // dc+sd-jwt: any of them (B.3.5)
	DoctypeValue string     `json:"doctype_value,omitempty"` // mso_mdoc (B.2.3)
	TypeValues   [][]string `json:"type_values,omitempty"`   // jwt_vc_json, ldp_vc: all types of any of the sets, as expanded IRIs (B.1.1)
}

// Names returns the accepted types, written as in [RecoveryParams].
func (m Meta) Names() []string {
	names := slices.Clone(m.VCTValues)
	if m.DoctypeValue != "" {
		names = append(names, m.DoctypeValue)
	}
	for _, set := range m.TypeValues {
		names = append(names, strings.Join(set, " "))
	}
	return names
}

// validate also refuses a member of another format: wallets would ignore it, which is not what its author wanted.
func (m Meta) validate(format string) error {
	var member string
	var err error
	switch format {
	case FormatSDJWT:
		member, err = "vct_values", texts("meta.vct_values", m.VCTValues)
	case FormatMdoc:
		if member = "doctype_value"; m.DoctypeValue == "" || len(m.DoctypeValue) > maxText || !utf8.ValidString(m.DoctypeValue) {
			err = errors.New("meta.doctype_value is missing, too long or not UTF-8")
		}
	case FormatJWTVC, FormatLDPVC:
		if member, err = "type_values", count("meta.type_values", len(m.TypeValues)); err == nil {
			for _, set := range m.TypeValues {
				err = errors.Join(err, texts("a set of meta.type_values", set))
			}
		}
	default:
		return fmt.Errorf("format %q is not known", format)
	}
	if err != nil {
		return err
	}
	for name, there := range map[string]bool{"vct_values": m.VCTValues != nil, "doctype_value": m.DoctypeValue != "", "type_values": m.TypeValues != nil} {
		if there && name != member {
			return fmt.Errorf("meta.%s does not belong to %s", name, format)
		}
	}
	return nil
}

// Accepts reports whether a credential with these types is accepted. types are the vct of an SD-JWT VC with its
// aka_vcts and the types that it extends, the doctype of an mdoc, or the expanded types of a W3C credential.
func (m Meta) Accepts(types ...string) bool {
	has := func(wanted string) bool {
		return slices.Contains(types, wanted) || m.TypeValues != nil && wanted == vcTypeIRI && slices.Contains(types, vcType)
	}
	return slices.ContainsFunc(m.VCTValues, has) || m.DoctypeValue != "" && len(types) == 1 && has(m.DoctypeValue) ||
		slices.ContainsFunc(m.TypeValues, func(set []string) bool { return len(set) > 0 && all(set, has) })
}

func (m *Meta) describe() string {
	switch {
	case m == nil:
		return "a type that the query does not name"
	case m.DoctypeValue != "":
		return m.DoctypeValue
	case len(m.VCTValues) > 0:
		return strings.Join(m.VCTValues, " or ")
	}
	sets := make([]string, len(m.TypeValues))
	for i, set := range m.TypeValues {
		sets[i] = strings.Join(set, " and ")
	}
	return strings.Join(sets, ", or ")
}

func (c Claim) validateFor(format string) error {
	if format == FormatMdoc {
		if len(c.Path) != mdocPathSize || slices.ContainsFunc(c.Path, func(s Step) bool { _, named := s.Name(); return !named }) {
			return fmt.Errorf("claim %s: the path of an mdoc is a namespace and an element", c.Path)
		}
		return nil
	}
	if c.IntentToRetain != nil {
		return fmt.Errorf("claim %s: intent_to_retain is for mdocs only", c.Path)
	}
	if name, ok := c.Path[0].Name(); ok && format == FormatSDJWT && neverSelectivelyDisclosable(name) && c.Values == nil {
		return fmt.Errorf("claim %s is always sent and cannot be asked for", c.Path)
	}
	return nil
}
