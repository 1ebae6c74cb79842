package node

import (
	"fmt"
	"path/filepath"
	"slices"

	"regain/internal/config"
	"regain/internal/plan"
	"regain/recovery"
	"regain/verifier"
	"regain/verifier/trust"
)

// part is what the node makes of files, and makes again when they change.
type part struct {
	name    string       // what it is, for the log
	files   []string     // that it is made of
	reload  func() error // takes over all that the files say now, or on an error nothing
	atStart bool         // nothing is taken over: a change is an error
}

// Reload reads every file again. Each part is taken over as a whole or, on an error, stays as it was; the error names
// the key, the file and the cure, and the other parts are taken over all the same.
func (n *Node) Reload() error {
	var found config.Problems
	for _, p := range n.parts {
		found.Add(p.again())
	}
	return found.Err()
}

// ReloadKeys reads the signing keys again, for example after `regain keys rotate`. On an error the current keys stay.
func (n *Node) ReloadKeys() error {
	list, err := plan.ReadSigning(n.cfg.Secrets.SigningKey)
	if err != nil {
		return err
	}
	if err := n.ring.Replace(list); err != nil {
		return fmt.Errorf("secrets.signing_key: %w", err)
	}
	return nil
}

// collectParts lists everything that is made of files, and notes what they look like before they are read.
func (n *Node) collectParts(deps Deps) {
	cfg := n.cfg
	add := func(name string, reload func() error, files ...string) {
		if files = named(files); len(files) > 0 {
			n.parts = append(n.parts, newWatched(part{name: name, files: files, reload: func() error {
				if err := plan.CheckFiles(n.cfg, files); err != nil {
					return err
				}
				return reload()
			}}))
		}
	}
	add("secrets.signing_key", n.ReloadKeys, cfg.Secrets.SigningKey.Path())
	add("secrets.encryption_keys", n.reloadEncryptionKeys, cfg.Secrets.Encryption.Path())
	add("directory", n.reloadDirectory, cfg.Directory.File)
	add("clients", n.reloadClients, clientFiles(cfg)...)
	add("mutual_tls.roots_file", n.reloadClientRoots, cfg.MutualTLS.RootsFile)
	add("request_signing and wallets", func() error { return n.reloadWallets(deps) }, walletFiles(cfg)...)
	add("trust", func() error { return n.reloadTrust(deps) }, trustFiles(cfg)...)
	add("fetch.ca_file", n.reloadFetcher, cfg.Fetch.CAFile)
	add("registration.initial_access_tokens", n.reloadTokens, cfg.Registration.Tokens.Path())
	add("tls", func() error { return n.reloadCertificate(deps) }, cfg.TLS.CertificateFile, cfg.TLS.KeyFile, cfg.TLS.Key.Path())
	n.collectSecrets()
}

// collectSecrets adds the secrets that no part takes over: records and tokens in use depend on them.
func (n *Node) collectSecrets() {
	for _, r := range config.References(n.cfg) {
		taken := slices.ContainsFunc(n.parts, func(w *watched) bool { return slices.Contains(w.files, filepath.Clean(r.Path)) })
		if !r.Secret.IsZero() && r.Path != "" && !taken {
			n.parts = append(n.parts, newWatched(part{name: r.Key, files: named([]string{r.Path}), reload: n.restart(r), atStart: true}))
		}
	}
}

func (n *Node) reloadEncryptionKeys() error {
	read, err := plan.ReadKeyring(n.cfg.Secrets.Encryption)
	if err != nil {
		return err
	}
	return n.kept.ReplaceKeys(read)
}

// reloadDirectory holds the accounts of the file to what a start demands: where an exclusion in production would name nobody
// any more, they are refused, and whoever it excluded stays excluded. Whoever left the file all the same is gone.
func (n *Node) reloadDirectory() error {
	file, ok := n.loaded.directory.(interface {
		ReloadIf(accept func(read recovery.Directory) error) error
	})
	if !ok {
		return nil
	}
	return config.Keyed("directory.file", file.ReloadIf(func(read recovery.Directory) error { return plan.CheckDirectory(n.loaded.Policy, read) }))
}

func (n *Node) reloadClients() error {
	read, err := plan.ReadClients(n.cfg, n.ring)
	if err == nil {
		n.clients.current.Store(&read)
	}
	return err
}

func (n *Node) reloadClientRoots() error {
	roots, err := plan.ReadClientRoots(n.cfg.MutualTLS)
	if err == nil {
		n.source.SetRoots(roots)
	}
	return err
}

func (n *Node) reloadWallets(deps Deps) error {
	read, err := plan.ReadWallets(n.cfg, deps.Clock())
	if err != nil {
		return err
	}
	return config.Keyed("request_signing", n.provider.Wallets().SetWallets(read.Named, read.Web))
}

func (n *Node) reloadTrust(deps Deps) error {
	rules, err := plan.ReadTrust(n.cfg.Trust)
	if err != nil {
		return err
	}
	return n.makeVerifier(rules, deps)
}

func (n *Node) makeVerifier(rules []trust.Rule, deps Deps) error {
	made, err := verifier.New(verifier.Config{Trust: rules, MinStatusTTL: n.cfg.StatusList.MinTTL, MaxStatusTTL: n.cfg.StatusList.MaxTTL},
		verifier.Deps{Fetch: &n.fetcher, Clock: deps.Clock, Logger: deps.Logger})
	if err != nil {
		return config.Keyed("trust", err)
	}
	n.verifier.current.Store(made)
	return nil
}

func (n *Node) reloadFetcher() error {
	made, err := plan.NewFetcher(n.cfg.Fetch)
	if err == nil {
		n.fetcher.current.Store(made)
	}
	return err
}

func (n *Node) reloadTokens() error {
	tokens, err := plan.ReadTokens(n.cfg.Registration)
	if err != nil || n.registration == nil {
		return err
	}
	if err := n.registration.SetInitialTokens(tokens); err != nil {
		return fmt.Errorf("registration.%w", err)
	}
	return nil
}

func (n *Node) reloadCertificate(deps Deps) error {
	read, err := plan.ReadCertificate(n.cfg.TLS, deps.Clock())
	if err == nil && read != nil {
		n.certificate.current.Store(read)
	}
	return err
}

// named leaves out the files that are not configured.
func named(files []string) (found []string) {
	for _, f := range files {
		if f != "" {
			found = append(found, filepath.Clean(f))
		}
	}
	return found
}

func clientFiles(c config.Config) (files []string) {
	for _, client := range c.Clients {
		files = append(files, client.JWKSFile, client.Secret.Path())
	}
	return files
}

func walletFiles(c config.Config) []string {
	files := []string{c.RequestSigning.Key.Path(), c.RequestSigning.CertificateFile}
	for _, w := range c.Wallets {
		files = append(files, w.AttestationFile, w.VerifierInfoFile)
	}
	return files
}

func trustFiles(c config.Config) (files []string) {
	for _, t := range c.Trust {
		files = append(files, t.AnchorsFile, t.SignersFile)
	}
	return files
}

// restart refuses a new secret that only a start reads. That it changed is told; the one in use stays.
func (n *Node) restart(r config.Reference) func() error {
	return func() error {
		digest, err := plan.Digest(r)
		if err == nil && digest != n.loaded.Digests[r.Key] {
			err = fmt.Errorf("%s: %s holds another one now, which is read at the start only: records and tokens in use depend on it; restart the node", r.Key, r.Secret.Source())
		}
		return err
	}
}
