package journey

import (
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"regain/provider/binding"
	"regain/provider/web"
	"regain/recovery"
)

// How often the live page looks at the stored transaction, and how long one connection lasts; the browser reconnects
// by itself. Looking at the store, and not at an event in this process, works for any number of nodes.
const (
	progressEvery = 500 * time.Millisecond
	progressFor   = 2 * time.Minute
)

// progress is one server-sent event. Reload tells the page that another page is due.
type progress struct {
	Text   string `json:"text"`
	Reload bool   `json:"reload"`
	// Codes are the texts of the QR codes, by the kind of wallet: they change while nobody scans them.
	Codes map[recovery.WalletName]string `json:"codes,omitempty"`
}

// maxStreams is how many live pages one transaction has on one node: a person's tabs, and no flood of connections that
// each look at the store.
const maxStreams = 8

// streams counts the live pages of each transaction.
type streams struct {
	mu   sync.Mutex
	open map[recovery.TransactionID]int
}

// enter takes a place, and returns false when there is none.
func (s *streams) enter(id recovery.TransactionID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[id] >= maxStreams {
		return false
	}
	s.open[id]++
	return true
}

func (s *streams) leave(id recovery.TransactionID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[id]--; s.open[id] == 0 {
		delete(s.open, id)
	}
}

// events streams the transaction's progress (HTML Living Standard §9.2). Without scripts the page has a
// link to look again: one that refreshes itself would throw a screen reader back to its start (WCAG 2.2 §2.2.1).
func (p *Pages) events(c *gin.Context, t recovery.Transaction) error {
	if !p.streams.enter(t.ID) {
		c.String(http.StatusTooManyRequests, "This recovery is open in too many tabs.\n")
		return nil
	}
	defer p.streams.leave(t.ID)
	h := c.Writer.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // proxies must not hold events back
	control := http.NewResponseController(c.Writer)
	// The connection lives for minutes; a server without deadlines answers with an error that says nothing to us.
	_ = errors.Join(control.SetWriteDeadline(time.Time{}), control.SetReadDeadline(time.Time{}))
	if err := p.follow(c, t); err != nil && c.Request.Context().Err() == nil {
		web.NoteError(c, err) // the stream has begun, so nothing else can be said; the browser connects again
	}
	return nil
}

// follow writes an event whenever what the page shows has changed, until another page is due.
func (p *Pages) follow(c *gin.Context, t recovery.Transaction) (err error) {
	secret := binding.Secret(c, t.ID)
	shown := ""
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	end := time.NewTimer(progressFor)
	defer end.Stop()
	// The page says what it shows: between its rendering and this connection, or between two connections, the transaction
	// may have moved on, and a page that is not told waits for ever.
	seen := c.DefaultQuery("seen", snapshot(t))
	for {
		event := progressOf(t, seen != snapshot(t))
		if event.Codes, err = p.codes(c, t); err != nil {
			return err
		}
		if line := event.encode(); line != shown {
			if _, err := c.Writer.WriteString(line); err != nil {
				return err
			}
			c.Writer.Flush()
			shown = line
		}
		if event.Reload {
			return nil
		}
		select {
		case <-c.Request.Context().Done():
			return nil
		case <-end.C:
			return nil
		case <-ticker.C:
		}
		if t, err = p.deps.Recovery.Open(c, t.ID, secret); err != nil {
			return err
		}
		if t, err = p.deps.Recovery.Rotate(c, t); err != nil {
			return err
		}
	}
}

func progressOf(t recovery.Transaction, changed bool) progress {
	if changed {
		return progress{Text: "Checking what your wallet showed …", Reload: true}
	}
	return progress{Text: progressText(waitingFor(t))}
}

func (e progress) encode() string {
	data, err := json.Marshal(e)
	if err != nil {
		return ""
	}
	return "event: progress\ndata: " + string(data) + "\n\n"
}

// codes are the texts of the QR codes that the page shows now.
func (p *Pages) codes(c *gin.Context, t recovery.Transaction) (map[recovery.WalletName]string, error) {
	texts := make(map[recovery.WalletName]string)
	for _, channel := range t.Channels() {
		if channel.Flow != recovery.FlowCrossDevice || t.Presentation.Answer != nil || t.HandleOf(channel) == "" {
			continue
		}
		text, err := p.deps.Wallets.RequestURL(c, t, channel)
		if err != nil {
			return nil, err
		}
		texts[channel.Wallet] = text
	}
	return texts, nil
}
