package project

import (
	"errors"
	"strings"

	"bst/impl/node"
	"bst/impl/stream"
)

// Conditionals "(?)" lay fragments over the mapping that they stand in, where
// their expression holds; "(!)" ends the load with the user's own message.

// process resolves all conditionals in n. restricted keys must not be set by a
// conditional at the top.
func (pool *optionPool) process(n *node.Node, restricted ...string) error {
	// A fragment may bring conditionals of its own.
	for {
		more, err := pool.processOne(n, restricted)
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	return pool.processItems(n)
}

func (pool *optionPool) processItems(n *node.Node) error {
	for _, item := range n.Items() {
		var err error
		switch item.Kind() {
		case node.Mapping:
			err = pool.process(item)
		case node.Sequence:
			err = pool.processItems(item)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (pool *optionPool) processOne(n *node.Node, restricted []string) (more bool, err error) {
	conditions, err := n.GetSequence("(?)")
	if err != nil {
		return false, err
	}
	// The first assertion that is met counts: it must not be overwritten by
	// another that a conditional brings.
	if message, err := n.GetStr("(!)", ""); err != nil {
		return false, err
	} else if at := n.Get("(!)"); at != nil {
		return false, at.Errorf("USER_ASSERTION", "%s", message)
	}
	if conditions == nil {
		return false, nil
	}
	n.Delete("(?)")
	for _, condition := range conditions.Items() {
		if err := pool.apply(condition, n, restricted); err != nil {
			return false, err
		}
	}
	return true, nil
}

// apply evaluates one condition and lays its fragment over n where it holds.
func (pool *optionPool) apply(condition, n *node.Node, restricted []string) error {
	switch {
	case condition.Kind() != node.Mapping || condition.Len() == 0:
		return condition.Errorf("INVALID_DATA", "Conditional statement is not a dictionary with one key")
	case condition.Len() > 1:
		return condition.Errorf("INVALID_DATA", "Conditional statement has more than one key")
	}
	fragment := condition.Items()[0]
	holds, err := pool.evaluate(condition.Keys()[0])
	if err != nil {
		return condition.Errorf("EXPRESSION_FAILED", "%s", err.Error())
	}
	if fragment.Kind() != node.Mapping {
		return condition.Errorf("ILLEGAL_COMPOSITE", "Only values of type 'dict' can be composed.")
	}
	for _, key := range restricted {
		if at := fragment.Get(key); at != nil {
			return at.Errorf("ILLEGAL_COMPOSITE", "The '%s' key cannot be specified conditionally.", key)
		}
	}
	if !holds {
		return nil
	}
	return fragment.Composite(n)
}

func (pool *optionPool) evaluate(text string) (bool, error) {
	parsed, ok := pool.parsed[text]
	if !ok {
		parsed.expression, parsed.err = parseExpression(text)
		pool.parsed[text] = parsed
	}
	if parsed.err != nil {
		return false, failedExpression(text, parsed.err)
	}
	v, err := parsed.expression.evaluate(pool.values)
	if err != nil {
		return false, failedExpression(text, err)
	}
	return truth(v), nil
}

// reasonOf is the reason of a load error, "" for other errors.
func reasonOf(err error) string {
	var e *stream.Error
	if errors.As(err, &e) && e.Domain == stream.DomainLoad {
		return e.Reason
	}
	return ""
}

// wrap puts a prefix before an error's message and keeps the rest.
func wrap(err error, prefix string) error {
	var e *stream.Error
	if !errors.As(err, &e) {
		return err
	}
	wrapped := *e
	wrapped.Message = prefix + e.Message
	return &wrapped
}

// longestExpression is what an error shows of one, in bytes.
const longestExpression = 1000

func failedExpression(text string, cause error) error {
	if len(text) > longestExpression {
		text = strings.ToValidUTF8(text[:longestExpression], "") + "..."
	}
	return errors.New("Failed to evaluate expression (" + text + "): " + cause.Error())
}
