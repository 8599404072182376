"""What happened at the emulated accounts: one coherent set of books for each, from which every answer is drawn.

Invoices are paid by charges; charges are refunded and disputed; payouts settle what is there, and what a failed
payout brings back is settled by the next one. Reports and the invoices' API are views of these books.
"""
