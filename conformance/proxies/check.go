package proxies

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// ErrFailed means that a proxy does not do what Regain needs of it.
var ErrFailed = errors.New("the proxy does not do what it must")

// Check runs a proxy with a configuration file in front of nodes that tell what they are sent, prints a line for each thing
// that Regain needs, and returns ErrFailed unless all are as they must be.
func Check(file string, out io.Writer) (err error) {
	b, err := newBench(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	for _, c := range []struct {
		name  string
		holds func(*bench) error
	}{
		{"any-node-answers-and-one-that-goes-away-is-passed-over", anyNode},
		{"what-was-sent-is-not-sent-again", sentOnce},
		{"forged-address-is-replaced", forgedAddress},
		{"host-is-passed-on", hostPasses},
		{"forged-certificate-is-removed", forgedCertificate},
		{"certificate-is-passed-on-at-its-host", certificatePasses},
		{"no-certificate-is-none", noCertificate},
		{"events-come-at-once", eventsAtOnce},
		{"long-redirects-pass", longRedirects},
		{"answers-of-wallets-pass-and-larger-ones-do-not", bodySizes},
		{"http2", speaksHTTP2},
	} {
		b.taken()
		if problem := c.holds(b); problem != nil {
			fmt.Fprintf(out, "FAIL %s: %v\n", c.name, problem)
			err = ErrFailed
			continue
		}
		fmt.Fprintf(out, "ok %s\n", c.name)
	}
	return err
}

// answer is what a request got.
type answer struct {
	status, version int
	location        string
}

// send sends a request and reads the whole answer.
func send(client *http.Client, method, address string, body []byte, header http.Header) (answer, error) {
	r, err := http.NewRequest(method, address, bytes.NewReader(body)) //nolint:noctx // the client has a timeout
	if err != nil {
		return answer{}, err
	}
	for name, values := range header {
		r.Header[name] = values
	}
	resp, err := client.Do(r)
	if err != nil {
		return answer{}, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return answer{resp.StatusCode, resp.ProtoMajor, resp.Header.Get("Location")}, errors.Join(err, resp.Body.Close())
}

// reaches sends a request with a header, and returns what the node got.
func (b *bench) reaches(client *http.Client, base string, header http.Header) (seen, error) {
	if _, err := send(client, http.MethodGet, base+"/", nil, header); err != nil {
		return seen{}, err
	}
	got := b.taken()
	if len(got) != 1 {
		return seen{}, fmt.Errorf("%d requests reached a node", len(got))
	}
	return got[0], nil
}

// anyNode: the nodes share the requests, and where one goes away nobody may notice, whatever the method.
func anyNode(b *bench) error {
	if err := b.shared(len(b.servers)); err != nil {
		return err
	}
	last := len(b.servers) - 1
	if err := b.servers[last].Close(); err != nil {
		return err
	}
	if err := b.shared(last); err != nil {
		return fmt.Errorf("a node went away: %w", err)
	}
	return nil
}

// shared sends requests, which the first of the nodes must share.
func (b *bench) shared(nodes int) error {
	const requests, least = 60, 5
	for i := range requests {
		method := []string{http.MethodPost, http.MethodGet}[i%2]
		got, err := send(b.client, method, b.issuer+"/", []byte("body"), nil)
		if err != nil {
			return err
		}
		if got.status != http.StatusOK {
			return fmt.Errorf("%s %d: status %d", method, i, got.status)
		}
	}
	served := make([]int, len(b.servers))
	for _, r := range b.taken() {
		served[r.node]++
		if r.Method == http.MethodPost && r.body == 0 {
			return errors.New("a body was lost")
		}
	}
	if slices.Min(served[:nodes]) < least {
		return fmt.Errorf("of %d requests the nodes got %v", requests, served)
	}
	return nil
}

func sentOnce(b *bench) error {
	got, err := send(b.client, http.MethodPost, b.issuer+"/abort", []byte("code=once"), nil)
	if err != nil {
		return err
	}
	if sent := b.taken(); len(sent) != 1 || got.status != http.StatusBadGateway {
		return fmt.Errorf("status %d, sent %d times", got.status, len(sent))
	}
	return nil
}

func forgedAddress(b *bench) error {
	got, err := b.reaches(b.client, b.issuer, http.Header{"X-Forwarded-For": {"203.0.113.9", "198.51.100.7"}})
	if err != nil {
		return err
	}
	if all := got.Header.Values("X-Forwarded-For"); len(all) != 1 || all[0] != peopleFrom {
		return fmt.Errorf("the node got %q, want the client's address %s alone", all, peopleFrom)
	}
	return nil
}

func hostPasses(b *bench) error {
	for base, client := range map[string]*http.Client{b.issuer: b.client, b.mutual: b.other} {
		got, err := b.reaches(client, base, nil)
		if err != nil {
			return err
		}
		if "https://"+got.Host != base {
			return fmt.Errorf("the node got %q for %s", got.Host, base)
		}
	}
	return nil
}

const certificateHeader = "Client-Cert"

func forgedCertificate(b *bench) error {
	for _, client := range []*http.Client{b.client, b.other} {
		got, err := b.reaches(client, b.issuer, http.Header{certificateHeader: {":Zm9yZ2Vk:"}})
		if err != nil {
			return err
		}
		if all := got.Header.Values(certificateHeader); strings.Join(all, "") != "" {
			return fmt.Errorf("the node got %q", all)
		}
	}
	return nil
}

// certificatePasses: in the form of RFC 9440 §2.1 or as percent-encoded PEM.
func certificatePasses(b *bench) error {
	got, err := b.reaches(b.other, b.mutual, http.Header{certificateHeader: {":Zm9yZ2Vk:"}})
	if err != nil {
		return err
	}
	all := got.Header.Values(certificateHeader)
	if len(all) != 1 {
		return fmt.Errorf("the node got %d values", len(all))
	}
	var der []byte
	if inner, ok := strings.CutPrefix(all[0], ":"); ok {
		der, err = base64.StdEncoding.DecodeString(strings.TrimSuffix(inner, ":"))
	} else if text, problem := url.PathUnescape(all[0]); problem == nil {
		if block, _ := pem.Decode([]byte(text)); block != nil {
			der = block.Bytes
		}
	}
	if err != nil || !bytes.Equal(der, b.certificate.Leaf.Raw) {
		return fmt.Errorf("the node got another certificate than the client's: %q", all[0])
	}
	return nil
}

// noCertificate: the connection is refused, or the node hears of none.
func noCertificate(b *bench) error {
	got, err := b.reaches(b.client, b.mutual, http.Header{certificateHeader: {":Zm9yZ2Vk:"}})
	if err == nil && strings.Join(got.Header.Values(certificateHeader), "") != "" {
		return fmt.Errorf("the node got %q", got.Header.Values(certificateHeader))
	}
	return nil
}

func eventsAtOnce(b *bench) error {
	begin := time.Now()
	answer, err := b.client.Get(b.issuer + "/recover/transaction/events") //nolint:noctx // the client has a timeout
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		if lines.Text() == "data: second" {
			if took := time.Since(begin); took > time.Second {
				return fmt.Errorf("the second event came after %s", took)
			}
			return nil
		}
	}
	return fmt.Errorf("the second event never came: %w", cmp.Or(lines.Err(), io.EOF))
}

func longRedirects(b *bench) error {
	const size = 12 << 10
	got, err := send(b.client, http.MethodPost, fmt.Sprintf("%s/redirect?size=%d", b.issuer, size), nil, nil)
	if err != nil {
		return err
	}
	if n := len(got.location); got.status != http.StatusSeeOther || n < size {
		return fmt.Errorf("status %d, %d octets", got.status, n)
	}
	return nil
}

func bodySizes(b *bench) error {
	const largest, tooLarge = 512 << 10, 2 << 20
	got, err := send(b.client, http.MethodPost, b.issuer+"/", make([]byte, largest), nil)
	if err != nil {
		return err
	}
	if sent := b.taken(); got.status != http.StatusOK || len(sent) != 1 || sent[0].body != largest {
		return fmt.Errorf("an answer of %d octets: status %d", largest, got.status)
	}
	got, err = send(b.client, http.MethodPost, b.issuer+"/", make([]byte, tooLarge), nil)
	if err != nil {
		return err
	}
	for _, r := range b.taken() {
		if r.body == tooLarge {
			return fmt.Errorf("%d octets reached a node", r.body)
		}
	}
	// Caddy 2.6 says 502 where a later one says 413.
	if got.status != http.StatusRequestEntityTooLarge && got.status != http.StatusBadGateway {
		return fmt.Errorf("a body of %d octets: status %d", tooLarge, got.status)
	}
	return nil
}

func speaksHTTP2(b *bench) error {
	got, err := send(b.client, http.MethodGet, b.issuer+"/", nil, nil)
	if err == nil && got.version != 2 {
		err = fmt.Errorf("HTTP/%d", got.version)
	}
	return err
}
