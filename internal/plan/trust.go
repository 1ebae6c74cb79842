package plan

import (
	"crypto/x509"
	"fmt"
	"strings"

	"regain/internal/config"
	"regain/provider/evidence"
	"regain/verifier"
	"regain/verifier/trust"
)

// ReadTrust reads the certificates of the trust entries.
func ReadTrust(entries []config.TrustConfig) ([]trust.Rule, error) {
	var found config.Problems
	var rules []trust.Rule
	for i, t := range entries {
		rule, err := trustRule(t, fmt.Sprintf("trust[%d]", i))
		found.Add(err)
		rules = append(rules, rule)
	}
	if err := found.Err(); err != nil {
		return nil, err
	}
	if _, err := trust.New(rules); err != nil {
		return nil, err
	}
	return rules, nil
}

// trustRule converts a trust entry, including the certificates that it names. key is the entry's configuration key.
func trustRule(t config.TrustConfig, key string) (trust.Rule, error) {
	rule := trust.Rule{Types: t.Types, Issuers: t.Issuers, DIDs: t.DIDs, LinkedDomain: t.LinkedDomain, StatusOptional: t.StatusOptional}
	if t.AnchorsFile == "" && t.SignersFile == "" && len(t.DIDs) == 0 {
		return rule, fmt.Errorf("%s.anchors_file: trusts nobody: name a file of the issuers' CAs, or signers_file or dids", key)
	}
	var found config.Problems
	for name, file := range map[string]struct {
		path string
		into *[]*x509.Certificate
	}{"anchors_file": {t.AnchorsFile, &rule.Anchors}, "signers_file": {t.SignersFile, &rule.Signers}} {
		if file.path == "" {
			continue
		}
		certificates, err := readCertificates(file.path)
		found.Add(config.Keyed(key+"."+name, err))
		*file.into = certificates
	}
	return rule, found.Err()
}

// untrusted returns the credential types that are requested but that no trust entry covers.
func untrusted(c config.Config) []string {
	trusted := map[string]bool{}
	for _, t := range c.Trust {
		for _, name := range t.Types {
			trusted[name] = true
		}
	}
	receipts := evidence.New(c.FaceCheck.ReceiptTypes, c.FaceCheck.ReceiptVCTypes)
	var missing, asked []string
	for _, p := range c.Profiles {
		for _, credential := range credentialsOf(p) {
			asked = append(asked, trustedTypes(verifier.Wanted{Format: credential.Format, Types: credential.Types})...)
			if p.FaceCheck.Source != faceCheckNone {
				asked = append(asked, trustedTypes(receipts.ReceiptFor(credential.Format))...)
			}
		}
	}
	for _, name := range asked {
		if !trusted[name] {
			missing = append(missing, name)
			trusted[name] = true
		}
	}
	return missing
}

// trustedTypes returns the types under which rules of trust name them: for a set of W3C types, the last one.
func trustedTypes(w verifier.Wanted) (last []string) {
	if w.Format != verifier.FormatJWTVC {
		return w.Types
	}
	for _, set := range w.Types {
		if types := strings.Fields(set); len(types) > 0 {
			last = append(last, types[len(types)-1])
		}
	}
	return last
}
