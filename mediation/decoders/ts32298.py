"""The records of TS 32.298 as tables: those by which calls, messages, data and IMS sessions are charged.

Tag and name of each field are the standard's; what is not named here is passed over, whatever release wrote it.
`record` is a field of ours: which of the standard's records it is.
"""

from typing import Final

from mediation.decoders.ber import BerTable, tag_of
from mediation.decoders.bertables import Tables, columns, lists, table

RECORD: Final = "record"
_CONTEXT: Final = 2
_LOCATION: Final = """
0 locationAreaCode octets
1 cellId octets
"""
_IP: Final = """
0 iPBinV4Address ip
1 iPBinV6Address ip
2 iPTextV4Address text
3 iPTextV6Address text
"""
_PDP: Final = """
0 iPAddress group:IP
"""
_SUBSCRIPTION: Final = """
0 subscriptionIDType int
1 subscriptionIDData text
"""
_MO_CALL: Final = """
0 recordType int
1 servedIMSI tbcd
2 servedIMEI tbcd
3 servedMSISDN address
4 callingNumber address
5 calledNumber address
6 translatedNumber address
7 connectedNumber address
8 roamingNumber address
9 recordingEntity address
12 location group:Location
22 seizureTime time
23 answerTime time
24 releaseTime time
25 callDuration int
26 dataVolume int
30 causeForTerm int
32 callReference octets
33 sequenceNumber int
37 serviceKey int
38 networkCallReference octets
39 mSCAddress address
61 systemType int
69 partialRecordType int
"""
_MT_CALL: Final = """
0 recordType int
1 servedIMSI tbcd
2 servedIMEI tbcd
3 servedMSISDN address
4 callingNumber address
5 connectedNumber address
6 recordingEntity address
9 location group:Location
19 seizureTime time
20 answerTime time
21 releaseTime time
22 callDuration int
23 dataVolume int
27 causeForTerm int
29 callReference octets
30 sequenceNumber int
33 networkCallReference octets
34 mSCAddress address
46 systemType int
54 partialRecordType int
"""
_MO_SMS: Final = """
0 recordType int
1 servedIMSI tbcd
2 servedIMEI tbcd
3 servedMSISDN address
5 serviceCentre address
6 recordingEntity address
7 location group:Location
8 messageReference octets
9 originationTime time
12 destinationNumber address
14 systemType int
"""
_MT_SMS: Final = """
0 recordType int
1 serviceCentre address
2 servedIMSI tbcd
3 servedIMEI tbcd
4 servedMSISDN address
6 recordingEntity address
7 location group:Location
8 deliveryTime time
11 systemType int
"""
_SGSN_PDP: Final = """
0 recordType int
3 servedIMSI tbcd
4 servedIMEI tbcd
10 chargingID int
12 accessPointNameNI text
14 servedPDPAddress group:PDP
15 listOfTrafficVolumes list:CharCondition
16 recordOpeningTime time
17 duration int
19 causeForRecClosing int
21 recordSequenceNumber int
22 nodeID text
24 localSequenceNumber int
26 accessPointNameOI text
27 servedMSISDN address
28 chargingCharacteristics octets
29 rATType int
38 servingNodePLMNIdentifier plmn
"""
_CHAR_CONDITION: Final = """
3 dataVolumeGPRSUplink int
4 dataVolumeGPRSDownlink int
5 changeCondition int
6 changeTime time
8 userLocationInformation octets
10 chargingID int
15 rATType int
"""
_PACKET: Final = """
0 recordType int
3 servedIMSI tbcd
5 chargingID int
7 accessPointNameNI text
8 pdpPDNType octets
9 servedPDPPDNAddress group:PDP
11 dynamicAddressFlag bool
12 listOfTrafficVolumes list:CharCondition
13 recordOpeningTime time
14 duration int
15 causeForRecClosing int
17 recordSequenceNumber int
18 nodeID text
20 localSequenceNumber int
22 servedMSISDN address
23 chargingCharacteristics octets
27 servingNodePLMNIdentifier plmn
29 servedIMEI tbcd
30 rATType int
31 mSTimeZone octets
32 userLocationInformation octets
37 p-GWPLMNIdentifier plmn
38 startTime time
39 stopTime time
"""
_SGW: Final = f"""{_PACKET}
4 s-GWAddress group:IP
34 sGWChange bool
40 pDNConnectionChargingID int
"""
_PGW: Final = f"""{_PACKET}
4 p-GWAddress group:IP
34 listOfServiceData list:ServiceCondition
36 servedMNNAI group:Subscription
41 pDNConnectionChargingID int
"""
_SERVICE_CONDITION: Final = """
1 ratingGroup int
2 chargingRuleBaseName text
3 resultCode int
4 localSequenceNumber int
5 timeOfFirstUsage time
6 timeOfLastUsage time
7 timeUsage int
8 serviceConditionChange octets
12 datavolumeFBCUplink int
13 datavolumeFBCDownlink int
14 timeOfReport time
17 serviceIdentifier int
20 userLocationInformation octets
25 sponsorIdentity octets
26 applicationServiceProviderIdentity octets
30 rATType int
"""
_PACKET_SMS: Final = """
0 recordType int
1 servedIMSI tbcd
2 servedIMEI tbcd
3 servedMSISDN address
5 serviceCentre address
6 recordingEntity address
10 messageReference octets
11 eventTimeStamp time
14 nodeID text
15 localSequenceNumber int
17 rATType int
18 destinationNumber address
28 servingNodePLMNIdentifier plmn
"""
_PACKET_SMS_IN: Final = """
0 recordType int
1 servedIMSI tbcd
2 servedIMEI tbcd
3 servedMSISDN address
5 serviceCentre address
6 recordingEntity address
10 eventTimeStamp time
13 nodeID text
14 localSequenceNumber int
16 rATType int
27 servingNodePLMNIdentifier plmn
"""
_CHARGING: Final = """
0 recordType int
1 recordingNetworkFunctionID text
2 subscriberIdentifier group:Subscription
5 listOfMultipleUnitUsage list:UnitUsage
6 recordOpeningTime time
7 duration int
8 recordSequenceNumber int
9 causeForRecClosing int
11 localRecordSequenceNumber int
13 pDUSessionChargingInformation group:PDUSession
16 chargingSessionIdentifier octets
27 chargingID int
"""
_PDU_SESSION: Final = """
0 pDUSessionChargingID int
1 userIdentifier group:Party
6 pDUSessionId int
10 sUPIPLMNIdentifier plmn
12 rATType int
13 dataNetworkNameIdentifier text
17 pDUSessionstartTime time
18 pDUSessionstopTime time
20 chargingCharacteristics octets
27 servingCNPLMNID plmn
"""
_PARTY: Final = """
0 sIP-URI text
1 tEL-URI text
2 uRN text
3 iSDN-E164 text
4 externalId text
"""
_UNIT_USAGE: Final = """
0 ratingGroup int
1 usedUnitContainers list:UsedUnits
"""
_USED_UNITS: Final = """
0 serviceIdentifier int
1 time int
3 triggerTimeStamp time
4 dataTotalVolume int
5 dataVolumeUplink int
6 dataVolumeDownlink int
7 serviceSpecificUnits int
8 eventTimeStamp time
9 localSequenceNumber int
11 pDUContainerInformation group:PDUContainer
"""
_PDU_CONTAINER: Final = """
0 chargingRuleBaseName text
2 timeOfFirstUsage time
3 timeOfLastUsage time
7 rATType int
"""
_IMS_GATEWAY: Final = """
0 recordType int
2 sIP-Method text
3 role-of-Node int
5 session-Id text
6 list-Of-Calling-Party-Address first
7 called-Party-Address first
9 serviceRequestTimeStamp time
10 serviceDeliveryStartTimeStamp time
11 serviceDeliveryEndTimeStamp time
12 recordOpeningTime time
13 recordClosureTime time
15 localRecordSequenceNumber int
16 recordSequenceNumber int
17 causeForRecordClosing int
19 iMS-Charging-Identifier octets
23 serviceReasonReturnCode text
26 expiresInformation int
30 serviceContextID text
"""
_IMS: Final = f"""{_IMS_GATEWAY}
8 privateUserID text
31 list-of-subscription-ID list:Subscription
"""
TYPES: Final[Tables] = {
    "Location": _LOCATION,
    "IP": _IP,
    "PDP": _PDP,
    "Subscription": _SUBSCRIPTION,
    "CharCondition": _CHAR_CONDITION,
    "ServiceCondition": _SERVICE_CONDITION,
    "PDUSession": _PDU_SESSION,
    "Party": _PARTY,
    "UnitUsage": _UNIT_USAGE,
    "UsedUnits": _USED_UNITS,
    "PDUContainer": _PDU_CONTAINER,
    "moCallRecord": _MO_CALL,
    "mtCallRecord": _MT_CALL,
    "moSMSRecord": _MO_SMS,
    "mtSMSRecord": _MT_SMS,
    "sgsnPDPRecord": _SGSN_PDP,
    "sgsnSMORecord": _PACKET_SMS,
    "sgsnSMTRecord": _PACKET_SMS_IN,
    "sGWRecord": _SGW,
    "pGWRecord": _PGW,
    "sCSCFRecord": _IMS,
    "pCSCFRecord": _IMS,
    "mGCFRecord": _IMS_GATEWAY,
    "aSRecord": _IMS,
    "chargingFunctionRecord": _CHARGING,
}
CHOICES: Final = {
    0: "moCallRecord",
    1: "mtCallRecord",
    6: "moSMSRecord",
    7: "mtSMSRecord",
    20: "sgsnPDPRecord",
    23: "sgsnSMORecord",
    24: "sgsnSMTRecord",
    63: "sCSCFRecord",
    64: "pCSCFRecord",
    67: "mGCFRecord",
    69: "aSRecord",
    78: "sGWRecord",
    79: "pGWRecord",
    200: "chargingFunctionRecord",
}
"""The tag by which a file says which record follows."""
RECORDS: Final[dict[int, tuple[str, BerTable]]] = {
    tag_of(_CONTEXT, number): (name, table(TYPES, name)) for number, name in CHOICES.items()
}


def record_columns(spread: tuple[str, ...]) -> frozenset[str]:
    """Give the fields that records can have when these lists are spread."""
    return frozenset(name for _, of in RECORDS.values() for name in columns(of, spread)) | {RECORD}


def record_lists() -> frozenset[str]:
    """Give the lists that can be spread."""
    return frozenset(name for _, of in RECORDS.values() for name in lists(of))
