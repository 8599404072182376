{{ own_orders() }}
