package node

import (
	"context"
	"errors"
	"fmt"

	"regain/adapters/directory"
	"regain/adapters/localpass"
	"regain/adapters/proofing"
	"regain/internal/config"
	"regain/internal/keep"
	"regain/internal/plan"
	"regain/provider/journey"
	"regain/provider/keys"
	"regain/provider/openid"
	"regain/recovery"
)

// Kinds of external systems, the values of `kind`. Each kind is a case in this file, which reports what its settings
// lack; these are beside `kind` in internal/config. An empty kind is the first one, for configurations from before there were several.
const (
	directoryFile = "file"
	passLocal     = "local"
)

// ofFile reports whether the directory is a file.
func ofFile(cfg config.DirectoryConfig) bool { return cfg.Kind == "" || cfg.Kind == directoryFile }

// validate reports the mistakes that can be told without opening anything.
func validate(cfg config.Config) error {
	return errors.Join(plan.Validate(cfg), validateDirectory(cfg.Directory))
}

func validateDirectory(cfg config.DirectoryConfig) error {
	if ofFile(cfg) && cfg.File == "" {
		return errors.New("directory.file: name the YAML file of accounts")
	}
	return nil
}

func openDirectory(cfg config.DirectoryConfig) (recovery.Directory, error) {
	if err := validateDirectory(cfg); err != nil {
		return nil, err
	}
	switch {
	case ofFile(cfg):
		accounts, err := directory.OpenFile(cfg.File)
		if err != nil {
			return nil, fmt.Errorf("directory.file: %w", err)
		}
		return accounts, nil
	default:
		return nil, fmt.Errorf("directory.kind %q: use %s, or leave it out", cfg.Kind, directoryFile)
	}
}

// passes holds the pass issuer and the verifier for its passes.
type passes struct {
	issuer   recovery.PassIssuer
	verifier openid.PassVerifier
}

func newPasses(cfg config.PassIssuerConfig, keys [][]byte, kept *keep.Kept, deps Deps) (passes, error) {
	switch cfg.Kind {
	case "", passLocal:
		issuer, err := localpass.NewRotating(localpass.Config{Key: keys[0], Store: kept.Passes(), Clock: deps.Clock, Random: deps.Random}, keys[1:]...)
		if err != nil {
			return passes{}, fmt.Errorf("secrets.pass_key: %w", err)
		}
		return passes{issuer: issuer, verifier: passEndpoint{issuer, kept}}, nil
	default:
		return passes{}, fmt.Errorf("pass_issuer.kind %q: use %s, or leave it out", cfg.Kind, passLocal)
	}
}

// passEndpoint adapts localpass.Rotating to openid.PassVerifier.
type passEndpoint struct {
	issuer *localpass.Rotating
	kept   *keep.Kept
}

func (e passEndpoint) Verify(ctx context.Context, client recovery.ClientID, account recovery.AccountID, pass string) (openid.PassVerdict, error) {
	if err := e.kept.LookNow(ctx); err != nil { // a pass that was used is good again in an older copy of the store
		return openid.PassVerdict{}, err
	}
	verdict, ok, err := e.issuer.Verify(ctx, client, account, pass)
	if err != nil || !ok {
		return openid.PassVerdict{RetryAfter: verdict.RetryAfter}, err
	}
	return openid.PassVerdict{Active: true, UsableOnce: verdict.UsableOnce, ExpiresAt: verdict.ExpiresAt, Transaction: verdict.Transaction}, nil
}

func newProofing(cfg config.Config, signer *keys.Ring, deps Deps) (map[string]journey.Proofing, error) {
	var found config.Problems
	providers := make(map[string]journey.Proofing, len(cfg.Proofing))
	for i, p := range cfg.Proofing {
		adapter, err := proofing.New(proofing.Config{
			Name: p.DisplayName, StartURL: p.StartURL, Issuer: cfg.Issuer, OrgID: cfg.Organisation,
			Minter: signer, Clock: deps.Clock, Random: deps.Random,
		})
		found.Add(config.Keyed(fmt.Sprintf("proofing[%d]", i), err))
		providers[p.Name] = adapter
	}
	return providers, found.Err()
}
