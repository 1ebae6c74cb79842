package mongo

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// URI is a connection string (mongodb:// or mongodb+srv://). It holds credentials and does not show itself.
type URI string

const hidden = "(the MongoDB URI)"

func (URI) String() string { return hidden }

// GoString implements fmt.GoStringer.
func (URI) GoString() string { return hidden }

// LogValue implements slog.LogValuer.
func (URI) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText implements encoding.TextMarshaler.
func (URI) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// reserved are options of the URI that the store sets itself, or that it refuses, in lower case.
func reserved() map[string]string {
	const ours, open = "leave it out: the store sets it", "leave it out: it lets anybody play the server; name the CA with tlsCAFile"
	return map[string]string{
		"w": ours, "journal": ours, "wtimeoutms": ours, "readpreference": ours, "readconcernlevel": ours, "retrywrites": ours, "retryreads": ours,
		"maxpoolsize": "use storage.mongo.max_connections", "minpoolsize": ours, "timeoutms": "use storage.mongo.timeout",
		"tlsinsecure": open, "tlsallowinvalidcertificates": open, "tlsallowinvalidhostnames": open, "sslverifycertificate": open,
	}
}

// Check refuses what is no URI, or has options that the store's rules do not allow.
func (u URI) Check() error {
	for name := range u.options() {
		if why, is := reserved()[strings.ToLower(name)]; is {
			return fmt.Errorf("the URI's option %s: %s", name, why)
		}
	}
	if err := options.Client().ApplyURI(string(u)).Validate(); err == nil || unresolved(err) { // which Open tries again
		return nil
	}
	// The driver may quote any part of what it could not read. So it is asked about the same URI for another user.
	if err := options.Client().ApplyURI(u.anonymous()).Validate(); err != nil {
		return fmt.Errorf("is no MongoDB URI, mongodb://user:password@host:27017/?replicaSet=name: %w", u.scrub(err))
	}
	return errors.New("is no MongoDB URI, mongodb://user:password@host:27017/?replicaSet=name: write : / ? # [ ] @ % of a user or password as %3A %2F %3F %23 %5B %5D %40 %25")
}

// anonymous is the URI with another user and password.
func (u URI) anonymous() string {
	scheme, rest, _ := strings.Cut(string(u), "://")
	at := strings.LastIndex(rest, "@")
	if at < 0 {
		return string(u)
	}
	return scheme + "://user:password" + rest[at:]
}

// options are those of the URI; of one that cannot be read, what can be.
func (u URI) options() url.Values {
	_, query, _ := strings.Cut(string(u), "?")
	values, _ := url.ParseQuery(query) //nolint:errcheck // ApplyURI says so
	return values
}

// secrets are the parts that no message may contain, the longest first.
func (u URI) secrets() []string {
	found := []string{string(u)}
	_, rest, _ := strings.Cut(string(u), "://")
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		_, password, _ := strings.Cut(rest[:at], ":")
		found = append(found, rest[:at], password)
		if plain, err := url.PathUnescape(password); err == nil {
			found = append(found, plain)
		}
	}
	for name, values := range u.options() {
		if slices.Contains([]string{"tlscertificatekeyfilepassword", "sslclientcertificatekeypassword", "authmechanismproperties"}, strings.ToLower(name)) {
			for _, value := range values { // properties are name:value, …
				for property := range strings.SplitSeq(value, ",") {
					_, secret, _ := strings.Cut(property, ":")
					found = append(found, value, secret)
				}
			}
		}
	}
	found = slices.DeleteFunc(found, func(s string) bool { return s == "" })
	slices.SortFunc(found, func(a, b string) int { return len(b) - len(a) })
	return found
}

// scrub returns an error whose text has no secret of the URI, whatever the driver put into it.
func (u URI) scrub(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	for _, secret := range u.secrets() {
		text = strings.ReplaceAll(text, secret, "…")
	}
	return scrubbed(text)
}

// scrubbed cannot be unwrapped: what is inside would show itself, and a time-out of the store's own would be taken for one
// of the caller's.
type scrubbed string

func (e scrubbed) Error() string { return string(e) }
