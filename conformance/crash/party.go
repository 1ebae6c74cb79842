package crash

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"

	"regain/conformance/rp"
)

// maxTries is how often a main IdP sends a request that nobody answered.
const maxTries = 30

// answered reports whether a node answered, whatever it said. A server error is an answer after which a client tries again.
func answered(err error) bool {
	var refused *rp.Error
	return err == nil || errors.As(err, &refused) && refused.Status < http.StatusInternalServerError
}

// try sends a request until a node answers it. lost: an answer may have been lost before.
func (p *person) try(ctx context.Context, send func() error) (lost bool, err error) {
	for range maxTries {
		err = send()
		var refused *rp.Error
		if errors.As(err, &refused) && internals.MatchString(refused.Description) {
			p.tally.problem("an answer to a client that tells what is inside", refused.Error())
		}
		if answered(err) {
			return lost, err
		}
		lost = true
		p.tally.add(&p.tally.broken)
		if !p.wait(ctx) {
			break
		}
	}
	return lost, err
}

// push is what the main IdP sends first.
func (p *person) push(ctx context.Context) (attempt rp.Attempt, err error) {
	_, err = p.try(ctx, func() (err error) {
		attempt, err = p.env.RP.Start(ctx, p.account, nil)
		return err
	})
	return attempt, err
}

// back is what the main IdP does when the browser is back: it redeems the code, and signs the person in with the pass.
func (p *person) back(ctx context.Context, address string) (cause string) {
	code, err := p.env.RP.Code(p.attempt, address)
	if errors.Is(err, rp.ErrDenied) {
		return "the client was told: " + errorCode(address)
	}
	if err != nil {
		p.tally.problem("an authorization response that is not one", err.Error())
		return "an authorization response that is not one"
	}
	deaths := p.tally.deaths()
	token, cause := p.redeem(ctx, code)
	if cause != "" {
		return cause
	}
	cause = p.signIn(ctx, token)
	if cause == notGood && p.forgets && p.tally.deaths() != deaths {
		return "the pass went with the node's memory"
	}
	if cause == notGood {
		p.tally.bad(token.Transaction)
	}
	return cause
}

// notGood is said of a pass that the server does not know, or that it says was used.
const notGood = "the pass is not good"

// errorCode is what an authorization response says that failed (RFC 6749 §4.1.2.1).
func errorCode(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "no URL"
	}
	return u.Query().Get("error")
}

// racers is one in how many clients that send each code twice, at the same time and again later, as one does whose own node
// failed.
const racers = 8

// redeem redeems the code. Each token that comes counts: of one transaction there may be one.
func (p *person) redeem(ctx context.Context, code string) (token rp.Recovery, cause string) {
	at := 1
	if p.chance.IntN(racers) == 0 {
		at = 2
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	var lost bool
	var refusal error
	chances := make([]*person, at) // chance is one goroutine's
	for i := range chances {
		other := *p
		other.chance = fork(p.chance)
		chances[i] = &other
	}
	for _, q := range chances {
		all.Go(func() {
			one, unanswered, err := q.token(ctx, code)
			mu.Lock()
			defer mu.Unlock()
			lost = lost || unanswered
			if err != nil {
				refusal = err
				return
			}
			token = one
		})
	}
	all.Wait()
	if token.Transaction != "" {
		if at > 1 {
			_, _, _ = p.token(ctx, code) // counts if one comes
		}
		return token, ""
	}
	cause = "the code was refused: " + brief(refusal)
	if lost {
		cause = "the answer with the pass was lost: " + brief(refusal)
	}
	return token, cause
}

// token redeems the code once, and notes the pass that comes.
func (p *person) token(ctx context.Context, code string) (token rp.Recovery, lost bool, err error) {
	var tokens rp.Tokens
	lost, err = p.try(ctx, func() (err error) {
		tokens, err = p.env.RP.Redeem(ctx, p.attempt, code)
		return err
	})
	if err != nil {
		return token, lost, err
	}
	token, err = p.env.RP.OpenRecoveryToken(tokens.RecoveryToken)
	if err != nil || token.Recovery.Pass.Value == "" || token.Subject != p.account {
		p.tally.problem("a token response without a pass for the account", tokens.RecoveryToken)
		return token, lost, errors.Join(err, errors.New("no pass"))
	}
	p.tally.pass(token.Transaction)
	return token, lost, nil
}

// signIn uses the pass: it must be good.
func (p *person) signIn(ctx context.Context, token rp.Recovery) (cause string) {
	var verdict rp.PassVerdict
	lost, err := p.try(ctx, func() (err error) {
		verdict, err = p.env.RP.VerifyPass(ctx, p.account, token.Recovery.Pass.Value)
		return err
	})
	switch {
	case err != nil:
		return "the pass could not be used: " + brief(err)
	case verdict.Active && verdict.TXN == token.Transaction:
		return ""
	case lost: // the answer that said that it is good, and used it up
		return "the answer that the pass is good was lost"
	}
	return notGood
}
