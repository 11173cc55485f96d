// Package outlaytest is what tests of many rooms share: suites that every implementation of a contract must pass, and
// starters of the servers that tests need. Only tests import it.
package outlaytest
