package mdoc_test

import (
	"errors"
	"strings"
	"testing"

	"regain/verifier/mdoc"
	"regain/verifier/verifiertest"
)

// authentication is what a device signs, by hand.
func (s *scene) authentication(t *testing.T, name string, transcript []byte) []any {
	t.Helper()
	return []any{name, verifiertest.Raw(transcript), s.draft.DocType, verifiertest.Embed(t, s.device.NameSpaces)}
}

// TestVerifyHolder breaks one thing between what the device signed and what we asked for. Nothing of a session is sent,
// so all that differs shows in the signature alone.
func TestVerifyHolder(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(t *testing.T, s *scene)
		ok     bool
		why    string // part of the error
	}{
		"in order":            {func(*testing.T, *scene) {}, true, ""},
		"another nonce":       {func(_ *testing.T, s *scene) { s.device.Nonce = "another" }, false, "DeviceSignature: signature does not verify"},
		"another client id":   {func(_ *testing.T, s *scene) { s.device.ClientID = "x509_hash:other" }, false, "DeviceSignature: signature does not verify"},
		"bare client id":      {func(_ *testing.T, s *scene) { s.device.ClientID = strings.TrimPrefix(s.device.ClientID, "x509_hash:") }, false, "DeviceSignature: signature does not verify"},
		"another address":     {func(_ *testing.T, s *scene) { s.device.ResponseURI += "/" }, false, "DeviceSignature: signature does not verify"},
		"another thumbprint":  {func(_ *testing.T, s *scene) { s.device.Thumbprint = append(make([]byte, 31), 1) }, false, "DeviceSignature: signature does not verify"},
		"encrypted to nobody": {func(_ *testing.T, s *scene) { s.device.Thumbprint = nil }, false, "DeviceSignature: signature does not verify"},
		"in the clear":        {func(_ *testing.T, s *scene) { s.device.Thumbprint, s.want.Thumbprint = nil, nil }, true, ""},
		"not in the clear":    {func(_ *testing.T, s *scene) { s.want.Thumbprint = nil }, false, "DeviceSignature: signature does not verify"},
		"by our page": {func(_ *testing.T, s *scene) {
			s.device.Origin, s.want.Origin = "https://a.example", "https://a.example"
		}, true, ""},
		"by another page": {func(_ *testing.T, s *scene) {
			s.device.Origin, s.want.Origin = "https://b.example", "https://a.example"
		}, false, "DeviceSignature: signature does not verify"},
		"by a page with a slash": {
			func(_ *testing.T, s *scene) {
				s.device.Origin, s.want.Origin = "https://a.example/", "https://a.example"
			}, false, "DeviceSignature: signature does not verify",
		},
		"a redirect for a page": {func(_ *testing.T, s *scene) { s.want.Origin = "https://a.example" }, false, "DeviceSignature: signature does not verify"},
		"a page for a redirect": {func(_ *testing.T, s *scene) { s.device.Origin = "https://a.example" }, false, "DeviceSignature: signature does not verify"},
		"nothing expected":      {func(_ *testing.T, s *scene) { s.device.Nonce, s.want.Nonce = "", "" }, false, "session: client id, nonce or response URI is missing"},
		"no address expected":   {func(_ *testing.T, s *scene) { s.device.ResponseURI, s.want.ResponseURI = "", "" }, false, "session: client id, nonce or response URI is missing"},
		"another device's key":  {func(t *testing.T, s *scene) { s.holder = verifiertest.NewHolder(t) }, false, "DeviceSignature: signature does not verify"},
		"the issuer's key": {func(_ *testing.T, s *scene) {
			s.holder = &verifiertest.Holder{Key: s.issuer.SignsDocuments.Key}
		}, false, "DeviceSignature: signature does not verify"},
		"no session": {func(t *testing.T, s *scene) {
			s.device.Authentication = verifiertest.CBOR(t, verifiertest.Embed(t, s.authentication(t, "DeviceAuthentication", []byte{0xf6})))
		}, false, "DeviceSignature: signature does not verify"},
		"a reader's signature": {func(t *testing.T, s *scene) {
			s.device.Authentication = verifiertest.CBOR(t, verifiertest.Embed(t, s.authentication(t, "ReaderAuthentication", s.device.Transcript(t))))
		}, false, "DeviceSignature: signature does not verify"},
		"is missing or has the wrong type": {func(t *testing.T, s *scene) {
			s.draft.DocType = "another"
			other := s.authentication(t, "DeviceAuthentication", s.device.Transcript(t))
			s.draft.DocType, s.device.Authentication = verifiertest.MDocType, verifiertest.CBOR(t, verifiertest.Embed(t, other))
		}, false, "DeviceSignature: signature does not verify"},
		"not wrapped": {func(t *testing.T, s *scene) {
			s.device.Authentication = verifiertest.CBOR(t, s.authentication(t, "DeviceAuthentication", s.device.Transcript(t)))
		}, false, "DeviceSignature: signature does not verify"},
		"in order by hand": {func(t *testing.T, s *scene) {
			s.device.Authentication = verifiertest.CBOR(t, verifiertest.Embed(t, s.authentication(t, "DeviceAuthentication", s.device.Transcript(t))))
		}, true, ""},
		"nothing": {func(_ *testing.T, s *scene) { s.device.Authentication = verifiertest.Raw{} }, false, "DeviceSignature: signature does not verify"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			tt.change(t, s)
			key, err := s.parse(t).VerifyHolder(s.want)
			if tt.ok && (err != nil || !key.Equal(&s.holder.Key.PublicKey)) {
				t.Errorf("got %v", err)
			}
			if !tt.ok && (!errors.Is(err, mdoc.ErrHolder) || err != nil && !strings.Contains(err.Error(), tt.why) || key != nil) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestVerifyHolderRefusesMACs holds that a MAC is told from a signature, whoever made it.
func TestVerifyHolderRefusesMACs(t *testing.T) {
	s := newScene(t)
	response := s.holder.Respond(t, s.draft, s.device)
	mac := []any{verifiertest.CBOR(t, verifiertest.NewMap(1, 5)), verifiertest.NewMap(), nil, make([]byte, 32)}
	document(response).At("deviceSigned").Set("deviceAuth", verifiertest.NewMap("deviceMac", mac))
	p, err := mdoc.ParseInsecure(write(t, response))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.VerifyHolder(s.want); !errors.Is(err, mdoc.ErrHolder) || !strings.Contains(err.Error(), "MAC") {
		t.Errorf("got %v", err)
	}
}

// TestVerifyHolderRefusesChanges takes one thing of another response that is in order: of the same device, for the same
// request, by the same issuer.
func TestVerifyHolderRefusesChanges(t *testing.T) {
	for name, row := range map[string]struct {
		change func(mine, others *verifiertest.Map)
		why    string
	}{
		"another's signature": {func(mine, others *verifiertest.Map) {
			document(mine).At("deviceSigned").Set("deviceAuth", document(others).At("deviceSigned").Get("deviceAuth"))
		}, "DeviceSignature: signature does not verify"},
		"elements put in": {func(mine, _ *verifiertest.Map) {
			spaces := verifiertest.Tag{Number: 24, Content: []byte("\xa1\x61a\xa1\x61b\x01")}
			document(mine).At("deviceSigned").Set("nameSpaces", spaces)
		}, "DeviceSignature: signature does not verify"},
		"namespaces with a longer head": {func(mine, _ *verifiertest.Map) {
			document(mine).At("deviceSigned").Set("nameSpaces", verifiertest.Raw("\xd8\x18\x58\x01\xa0"))
		}, "DeviceSignature: signature does not verify"},
	} {
		s := newScene(t)
		s.draft.MSO.At("deviceKeyInfo").Set("keyAuthorizations", verifiertest.NewMap("nameSpaces", []any{"a"}))
		mine, other := s.holder.Respond(t, s.draft, s.device), verifiertest.NewDevice()
		other.NameSpaces = verifiertest.NewMap("a", verifiertest.NewMap("c", 1))
		row.change(mine, s.holder.Respond(t, s.draft, other))
		p, err := mdoc.ParseInsecure(write(t, mine))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.VerifyHolder(s.want); !errors.Is(err, mdoc.ErrHolder) || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestDeviceElements holds that a device says of its own only what its issuer lets it say (ISO 18013-5 §9.1.2.4), and
// that none of it is taken for the issuer's.
func TestDeviceElements(t *testing.T) {
	const space = verifiertest.MDocNamespace
	for name, tt := range map[string]struct {
		authorizations *verifiertest.Map
		ok             bool
	}{
		"none":                     {nil, false},
		"empty":                    {verifiertest.NewMap(), false},
		"the namespace":            {verifiertest.NewMap("nameSpaces", []any{"x", space}), true},
		"another namespace":        {verifiertest.NewMap("nameSpaces", []any{"x", space + ".UT"}), false},
		"the element":              {verifiertest.NewMap("dataElements", verifiertest.NewMap(space, []any{"given_name"})), true},
		"another element":          {verifiertest.NewMap("dataElements", verifiertest.NewMap(space, []any{"family_name"})), false},
		"the element elsewhere":    {verifiertest.NewMap("dataElements", verifiertest.NewMap("x", []any{"given_name"})), false},
		"the element as namespace": {verifiertest.NewMap("nameSpaces", []any{"given_name"}), false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			if tt.authorizations != nil {
				s.draft.MSO.At("deviceKeyInfo").Set("keyAuthorizations", tt.authorizations)
			}
			s.device.NameSpaces = verifiertest.NewMap(space, verifiertest.NewMap("given_name", "Mallory"))
			p := s.parse(t)
			if _, err := p.VerifyHolder(s.want); tt.ok != (err == nil) || !tt.ok && !errors.Is(err, mdoc.ErrHolder) {
				t.Errorf("got %v", err)
			}
			if got := elements(p)["given_name"]; got != "Ada" {
				t.Errorf("given_name is %v", got)
			}
		})
	}
}

// TestDeviceElementsOfNobody holds that a device's word does not stand in for what the issuer's was not shown of.
func TestDeviceElementsOfNobody(t *testing.T) {
	s := newScene(t)
	s.draft.MSO.At("deviceKeyInfo").Set("keyAuthorizations", verifiertest.NewMap("nameSpaces", []any{verifiertest.MDocNamespace, "x"}))
	s.draft.Element("given_name").Withheld = true
	s.device.NameSpaces = verifiertest.NewMap("x", verifiertest.NewMap("y", 1), verifiertest.MDocNamespace, verifiertest.NewMap("given_name", "Mallory"))
	p := s.parse(t)
	if _, err := p.VerifyHolder(s.want); err != nil {
		t.Error(err)
	}
	if _, there := elements(p)["given_name"]; there || len(p.Claims()) != 1 {
		t.Errorf("claims are %v", p.Claims())
	}
}
