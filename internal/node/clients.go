package node

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"

	"github.com/go-jose/go-jose/v4"

	"regain/provider/clients"
)

func readClients(list []ClientConfig) (clients.Fixed, error) {
	read := make([]*clients.Client, 0, len(list))
	for i, c := range list {
		client := &clients.Client{
			ID: c.ID, Name: c.Name, AuthMethod: clients.AuthMethod(c.AuthMethod), RedirectURIs: c.RedirectURIs, Scopes: c.Scope,
			AllowUnpushed: c.RequirePAR != nil && !*c.RequirePAR, AllowNoPKCE: c.RequirePKCE != nil && !*c.RequirePKCE,
			AskAccount: c.AskAccount, ReuseSession: c.ReuseSession,
			Profile: clients.Profile(c.Profile), RequestObjectAlgorithm: jose.SignatureAlgorithm(c.RequestAlg), RequireRequestObject: c.RequireJAR,
			PostLogoutRedirectURIs: c.PostLogout, BackChannelLogoutURI: c.BackChannel,
			IDTokenAlgorithm: jose.SignatureAlgorithm(c.IDTokenAlg), UserInfoAlgorithm: jose.SignatureAlgorithm(c.UserInfoAlg),
		}
		if client.AuthMethod == "" {
			client.AuthMethod = clients.PrivateKeyJWT
		}
		if err := readClientKeys(client, c, fmt.Sprintf("clients[%d] (%s)", i, c.ID)); err != nil {
			return nil, err
		}
		read = append(read, client)
	}
	return clients.NewFixed(read)
}

func readClientKeys(client *clients.Client, c ClientConfig, key string) error {
	if !c.Secret.IsZero() {
		secret, err := c.Secret.Read(key + ".secret")
		if err != nil {
			return err
		}
		const enough = 32
		if len(secret) < enough {
			return fmt.Errorf("%s.secret: has %d characters: use %d random ones at least", key, len(secret), enough)
		}
		client.SecretDigest = sha256.Sum256([]byte(secret))
	}
	if c.JWKSFile == "" {
		if client.Recovers() {
			return fmt.Errorf("%s.jwks_file: name a file with the client's JWK set: recovery tokens are encrypted to it", key)
		}
		return nil
	}
	data, err := os.ReadFile(c.JWKSFile)
	if err != nil {
		return fmt.Errorf("%s.jwks_file: %w", key, err)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(data, &set); err != nil {
		return fmt.Errorf("%s.jwks_file: not a JWK set: %w", key, err)
	}
	client.Keys = set
	return nil
}
