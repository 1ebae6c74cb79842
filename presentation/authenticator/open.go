package authenticator

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"regain/internal/strictjson"
	"regain/presentation"
)

// Limits on what a wallet sends.
const (
	maxPresentations = 4
	maxCredentials   = 4
	maxText          = 256 << 10 // bytes of a presentation; a portrait is in it whole
	maxToken         = 32 << 10
	maxDescriptors   = 8
	tokenDepth       = 12
)

// Answer is a wallet's response.
type Answer struct {
	// IDToken is the self-issued ID token, signed by the person's DID. It has the presentation submission.
	IDToken string
	// Presentations has, by the id of the credential query, the credential that answers it.
	Presentations map[string]PresentationRef
}

// PresentationRef names one JWT VC by its index, from 0, in a presentation. It is personal data.
type PresentationRef struct {
	Presentation string
	Credential   int
}

// Format keeps a presentation out of every fmt verb.
func (PresentationRef) Format(f fmt.State, _ rune) { fmt.Fprint(f, "presentation[redacted]") }

// LogValue keeps a presentation out of slog.
func (PresentationRef) LogValue() slog.Value { return slog.StringValue("presentation[redacted]") }

// MarshalJSON keeps a presentation out of JSON.
func (PresentationRef) MarshalJSON() ([]byte, error) { return []byte(`"[redacted]"`), nil }

// Format keeps an answer out of every fmt verb: the ID token has the person's DID.
func (Answer) Format(f fmt.State, _ rune) { fmt.Fprint(f, "answer[redacted]") }

// LogValue keeps an answer out of slog.
func (Answer) LogValue() slog.Value { return slog.StringValue("answer[redacted]") }

// MarshalJSON keeps an answer out of JSON.
func (Answer) MarshalJSON() ([]byte, error) { return []byte(`"[redacted]"`), nil }

// Open parses what a wallet posted to the redirect URI: id_token, vp_token and state (JWT VC Presentation Profile,
// Structure of Authorization Response). It checks the syntax, that the request has not expired, that the state is that
// of the request, and that the presentation submission in the ID token answers the query. It verifies no signature.
// Errors wrap sentinels of package presentation.
func (r Request) Open(form url.Values, now time.Time) (Answer, error) {
	answer, err := r.open(form, now)
	if err != nil {
		return Answer{}, fmt.Errorf("opening a wallet's answer: %w", err)
	}
	return answer, nil
}

func (r Request) open(form url.Values, now time.Time) (Answer, error) {
	if err := r.usable(now); err != nil {
		return Answer{}, err
	}
	for _, name := range []string{"id_token", "state"} {
		if len(form[name]) != 1 {
			return Answer{}, fmt.Errorf("%w: %s is missing or stands twice", presentation.ErrMalformed, name)
		}
	}
	if subtle.ConstantTimeCompare([]byte(form.Get("state")), []byte(r.State)) != 1 {
		return Answer{}, presentation.ErrState
	}
	presentations, err := presentationsIn(form["vp_token"])
	if err != nil {
		return Answer{}, err
	}
	token := form.Get("id_token")
	locations, err := r.locations(token)
	if err != nil {
		return Answer{}, err
	}
	answer := Answer{IDToken: token, Presentations: make(map[string]PresentationRef, len(locations))}
	for id, at := range locations {
		if at.presentation >= len(presentations) {
			return Answer{}, fmt.Errorf("%w: the submission names a presentation that was not sent", presentation.ErrMissing)
		}
		answer.Presentations[id] = PresentationRef{presentations[at.presentation], at.credential}
	}
	return answer, nil
}

// presentationsIn reads vp_token: a presentation, several parameters of that name, or a JSON array of presentations.
func presentationsIn(values []string) ([]string, error) {
	if len(values) == 1 && strings.HasPrefix(values[0], "[") && len(values[0]) <= maxText {
		var err error
		if values, err = texts(values[0]); err != nil {
			return nil, err
		}
	}
	if len(values) == 0 || len(values) > maxPresentations {
		return nil, fmt.Errorf("%w: vp_token is missing, or stands too often", presentation.ErrMalformed)
	}
	for _, text := range values {
		if len(text) > maxText {
			return nil, fmt.Errorf("%w: vp_token", presentation.ErrTooLarge)
		}
	}
	return values, nil
}

// texts reads a JSON array of strings.
func texts(array string) ([]string, error) {
	left := 1 + maxPresentations // values: more than that would be refused, and would take a hundred times their length first
	value, err := strictjson.ParseSome([]byte(array), 1, &left)
	list, _ := value.([]any)
	found := make([]string, len(list))
	for i, element := range list {
		text, ok := element.(string)
		if !ok {
			err = errors.New("an element is no text")
		}
		found[i] = text
	}
	if err != nil {
		return nil, fmt.Errorf("%w: vp_token is no array of texts: %w", presentation.ErrMalformed, err)
	}
	return found, nil
}

// location is the position of a credential in a vp_token: the index of the presentation, and of the credential in it.
type location struct{ presentation, credential int }

// locations reads `_vp_token` of the ID token: one presentation submission, or several (JWT VC Presentation Profile, ID
// Token Validation).
func (r Request) locations(token string) (map[string]location, error) {
	if len(token) > maxToken {
		return nil, fmt.Errorf("%w: id_token", presentation.ErrTooLarge)
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("%w: id_token is no JWT", presentation.ErrMalformed)
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(parts[1])
	if err != nil {
		return nil, fmt.Errorf("%w: id_token is not base64url", presentation.ErrMalformed)
	}
	payload, err := strictjson.Object(raw, tokenDepth)
	if err != nil {
		return nil, fmt.Errorf("%w: id_token: %w", presentation.ErrMalformed, err)
	}
	submitted, ok := payload["_vp_token"].([]any)
	if !ok {
		submitted = []any{payload["_vp_token"]}
	}
	found := make(map[string]location)
	for _, one := range submitted {
		if err := r.readSubmission(one, found); err != nil {
			return nil, err
		}
	}
	ids := make([]string, 0, len(found))
	for id := range found {
		ids = append(ids, id)
	}
	if err := r.Query.Missing(ids); err != nil {
		return nil, fmt.Errorf("%w: %w", presentation.ErrMissing, err)
	}
	return found, nil
}

// readSubmission adds the positions of a presentation submission to found (DIF Presentation Exchange, Presentation
// Submission).
func (r Request) readSubmission(value any, found map[string]location) error {
	outer, _ := value.(map[string]any)
	submission, _ := outer["presentation_submission"].(map[string]any)
	if submission["definition_id"] != r.ID {
		return fmt.Errorf("%w: the submission is for another definition", presentation.ErrState)
	}
	list, _ := submission["descriptor_map"].([]any)
	if len(list) == 0 || len(list) > maxDescriptors {
		return fmt.Errorf("%w: descriptor_map is missing, empty or too long", presentation.ErrMalformed)
	}
	for _, element := range list {
		descriptor, _ := element.(map[string]any)
		id, _ := descriptor["id"].(string)
		if _, requested := r.Query.Credential(id); !requested {
			return presentation.ErrNotAsked
		}
		if _, twice := found[id]; twice {
			return fmt.Errorf("%w: %s is answered twice", presentation.ErrNotAsked, id)
		}
		at, ok := locationOf(descriptor)
		if !ok {
			return fmt.Errorf("%w: descriptor_map: %s: unsupported format or path", presentation.ErrMalformed, id)
		}
		found[id] = at
	}
	return nil
}

// locationOf reads the path and path_nested of a descriptor (DIF Presentation Exchange 2.0.0, Processing of Submission
// Entries): `$` or `$[n]` selects the presentation, `$.verifiableCredential[n]` or, in newer wallets,
// `$.vp.verifiableCredential[n]` the credential in it. Other JSONPath expressions are refused, not evaluated.
func locationOf(descriptor map[string]any) (location, bool) {
	path, _ := descriptor["path"].(string)
	nested, _ := descriptor["path_nested"].(map[string]any)
	inner, _ := nested["path"].(string)
	if descriptor["format"] != "jwt_vp" || nested["format"] != "jwt_vc" {
		return location{}, false
	}
	vp, okVP := index(path, `^\$(?:\[(\d{1,2})\])?$`)
	vc, okVC := index(inner, `^\$(?:\.vp)?\.verifiableCredential\[(\d{1,2})\]$`)
	return location{vp, vc}, okVP && okVC && vc < maxCredentials
}

func index(path, pattern string) (int, bool) {
	match := regexp.MustCompile(pattern).FindStringSubmatch(path)
	if match == nil {
		return 0, false
	}
	if match[1] == "" {
		return 0, true
	}
	n, err := strconv.Atoi(match[1])
	return n, err == nil
}
