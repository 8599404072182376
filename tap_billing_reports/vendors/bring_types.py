"""The report types that Bring is known to have; which of them a customer may order, its own list says.

Any other can be configured, too: a name that is nearly one of these is told of as misspelt.
"""

from __future__ import annotations

# By invoice number. MASTER-SPECIFIED_INVOICE was seen with every main customer number of four live customers.
BY_INVOICE = ("MASTER-SPECIFIED_INVOICE", "PARCELS-SPECIFIED_INVOICE", "PARCELS-ADDITIONAL-COSTS")
# By `fromDate` and `toDate`: the list of a customer of parcels in Bring's documents (bring/developer-site, 2024-03).
BY_DATES = (
    "PARCELS-PRE_NOTIFICATION_RECEIVED", "PARCELS-RECEIVED_BY_BRING", "PARCELS-PROBABLE_DELAYS",
    "PARCELS-OUT_FOR_DELIVERY", "PARCELS-NOT_COLLECTED_AT_PICKUPPOINT", "PARCELS-DELIVERY-ATTEMPTED",
    "PARCELS-MISSING_PRE_NOTIFICATION", "PARCELS-DELIVERED", "PARCELS-RETURNED", "PARCELS-ADDRESS_QUALITY_B2B",
    "PARCELS-LAST_STATUS", "PARCELS-DELIVERY_QUALITY", "PARCELS-ECONOMY_AND_STATISTICS",
)  # fmt: skip
# By `year` and `reporttype`, in the same list.
BY_YEAR = ("PARCELS-FREIGHT_STATISTICS_SUMMED", "PARCELS-FREIGHT_STATISTICS_DETAILED")
# Offered to four live customers, as code that reads their lists shows. Their parameters stand nowhere: the account's
# own `report_types` names them.
SEEN_LIVE = ("COMPLETE_STATUS_INCLUDING_FREIGHT_COST", "PARCELS_EMISSIONS_PER_SHIPMENT")
# Named by Bring's page on reports (2025-12-09) as what replaces the ENVIRONMENT_REPORT_* types; not seen live.
ANNOUNCED = (
    "PARCELS_EMISSIONS_PER_MONTH", "CARGO_EMISSIONS_PER_SHIPMENT", "CARGO_EMISSIONS_PER_MONTH",
    "PARCELS_INTERNATIONAL_EMISSIONS_PER_SHIPMENT", "PARCELS_INTERNATIONAL_EMISSIONS_PER_MONTH",
)  # fmt: skip

KNOWN_TYPES = (*BY_INVOICE, *BY_DATES, *BY_YEAR, *SEEN_LIVE, *ANNOUNCED)
